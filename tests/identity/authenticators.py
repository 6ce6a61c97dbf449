"""An authenticator in software, for the tests of passkeys: what a browser and a key would send, true or false in any part."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import struct
from dataclasses import dataclass, field
from typing import Any

import cbor2
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa

UP, UV, AT = 0x01, 0x04, 0x40


def b64(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def unb64(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


class Es256:
    """The common one."""

    def __init__(self) -> None:
        self.key = ec.generate_private_key(ec.SECP256R1())

    def cose(self) -> dict[int, Any]:
        at = self.key.public_key().public_numbers()
        return {1: 2, 3: -7, -1: 1, -2: at.x.to_bytes(32, "big"), -3: at.y.to_bytes(32, "big")}

    def sign(self, data: bytes) -> bytes:
        return self.key.sign(data, ec.ECDSA(hashes.SHA256()))


class Rs256:
    """Windows Hello's."""

    def __init__(self) -> None:
        self.key = rsa.generate_private_key(65537, 2048)

    def cose(self) -> dict[int, Any]:
        at = self.key.public_key().public_numbers()
        return {1: 3, 3: -257, -1: at.n.to_bytes(256, "big"), -2: at.e.to_bytes(3, "big")}

    def sign(self, data: bytes) -> bytes:
        return self.key.sign(data, padding.PKCS1v15(), hashes.SHA256())


class EdDsa:
    """Security keys' newer one."""

    def __init__(self) -> None:
        self.key = ed25519.Ed25519PrivateKey.generate()

    def cose(self) -> dict[int, Any]:
        return {1: 1, 3: -8, -1: 6, -2: self.key.public_key().public_bytes_raw()}

    def sign(self, data: bytes) -> bytes:
        return self.key.sign(data)


@dataclass
class Authenticator:
    """One passkey. counter: 0 for good is a synced one; `step` is what each use adds."""

    origin: str = "https://imba.example"
    rp_id: str = "imba.example"
    algorithm: Any = field(default_factory=Es256)
    credential_id: bytes = field(default_factory=lambda: os.urandom(32))
    counter: int = 0
    step: int = 0
    user_handle: bytes | None = None

    def create(self, options: dict[str, Any], **changes: Any) -> dict[str, Any]:
        """What `navigator.credentials.create()` gives for the options."""
        self.user_handle = unb64(options["user"]["id"])
        wanted = {"type": "webauthn.create", "flags": UP | UV | AT, "fmt": "none", "statement": {}} | changes
        client = self._client(wanted["type"], options, changes)
        public = cbor2.dumps(self.algorithm.cose())
        attested = bytes(16) + struct.pack(">H", len(self.credential_id)) + self.credential_id + public
        data = self._data(wanted["flags"], changes) + attested
        attestation = cbor2.dumps({"fmt": wanted["fmt"], "attStmt": wanted["statement"], "authData": data})
        response = {"clientDataJSON": b64(client), "attestationObject": b64(attestation), "transports": ["internal"]}
        return self._credential(response | changes.get("response", {}))

    def get(self, options: dict[str, Any], **changes: Any) -> dict[str, Any]:
        """What `navigator.credentials.get()` gives for the options."""
        self.counter = changes.get("counter", self.counter + self.step)
        client = self._client(changes.get("type", "webauthn.get"), options, changes)
        data = self._data(changes.get("flags", UP | UV), changes)
        signature = self.algorithm.sign(data + hashlib.sha256(client).digest())
        response: dict[str, Any] = {
            "clientDataJSON": b64(client),
            "authenticatorData": b64(data),
            "signature": b64(signature),
        }
        if self.user_handle is not None:
            response["userHandle"] = b64(self.user_handle)
        return self._credential(response | changes.get("response", {}))

    def _client(self, kind: str, options: dict[str, Any], changes: dict[str, Any]) -> bytes:
        said = {
            "type": kind,
            "challenge": changes.get("challenge", options["challenge"]),
            "origin": changes.get("origin", self.origin),
            "crossOrigin": changes.get("cross_origin", False),
        }
        return json.dumps(said).encode()

    def _data(self, flags: int, changes: dict[str, Any]) -> bytes:
        rp = hashlib.sha256(changes.get("rp_id", self.rp_id).encode()).digest()
        return rp + struct.pack(">BI", flags, self.counter)

    def _credential(self, response: dict[str, Any]) -> dict[str, Any]:
        key = b64(self.credential_id)
        return {
            "id": key,
            "rawId": key,
            "type": "public-key",
            "response": response,
            "authenticatorAttachment": "platform",
            "clientExtensionResults": {},
        }
