"""Signatures by Standard Webhooks (standardwebhooks.com): `v1`, HMAC-SHA256, and `v1a`, Ed25519.

Signed is `{id}.{timestamp}.{body}`, over the bytes that travel.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import os
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from freehold.webhooks.tables import Signature

SECRET, PRIVATE, PUBLIC = "whsec_", "whsk_", "whpk_"
_KEY_BYTES = 32


def new_secret(kind: Signature) -> str:
    """A key for one endpoint. v1: shared with the receiver. v1a: ours alone; the receiver gets `public_key` of it."""
    return (SECRET if kind == "v1" else PRIVATE) + base64.b64encode(os.urandom(_KEY_BYTES)).decode()


def public_key(secret: str) -> str:
    """What checks the signatures of a `whsk_` key, for everybody to see."""
    raw = Ed25519PrivateKey.from_private_bytes(_key(secret)).public_key().public_bytes_raw()
    return PUBLIC + base64.b64encode(raw).decode()


@dataclass(frozen=True, slots=True)
class Message:
    """What travels. id: the same at every try. sent_at: of this try."""

    id: str
    sent_at: datetime
    body: bytes

    @property
    def signed(self) -> bytes:
        """What a signature is over."""
        return f"{self.id}.{int(self.sent_at.timestamp())}.".encode() + self.body

    def headers(self, secrets: Sequence[str]) -> dict[str, str]:
        """The three headers, with a signature by each secret."""
        return {
            "webhook-id": self.id,
            "webhook-timestamp": str(int(self.sent_at.timestamp())),
            "webhook-signature": " ".join(sign(secret, self.signed) for secret in secrets),
        }


def sign(secret: str, signed: bytes) -> str:
    """`v1,…` or `v1a,…`, by the kind of the secret."""
    if secret.startswith(PRIVATE):
        return "v1a," + base64.b64encode(Ed25519PrivateKey.from_private_bytes(_key(secret)).sign(signed)).decode()
    return "v1," + base64.b64encode(hmac.digest(_key(secret), signed, "sha256")).decode()


def is_signed(keys: Sequence[str], signed: bytes, signatures: str) -> bool:
    """Whether one of the signatures is by one of the keys (`whsec_…`, or `whpk_…` for `v1a`)."""
    for signature in signatures.split():
        version, _, value = signature.partition(",")
        if any(_agrees(key, version, value, signed) for key in keys):
            return True
    return False


def _agrees(key: str, version: str, value: str, signed: bytes) -> bool:
    if version != ("v1a" if key.startswith(PUBLIC) else "v1"):
        return False
    try:
        given = base64.b64decode(value, validate=True)
        if version == "v1":
            return hmac.compare_digest(hmac.digest(_key(key), signed, "sha256"), given)
        Ed25519PublicKey.from_public_bytes(_key(key)).verify(given, signed)
    except (binascii.Error, InvalidSignature, ValueError):
        return False
    return True


def check_key(key: str) -> None:
    """Raise ValueError for what is no key to check with: `whsec_` or `whpk_`, and base64 of 24 to 64 bytes."""
    if not key.startswith((SECRET, PUBLIC)) or not 24 <= len(_key(key)) <= 64:
        raise ValueError("give the key as its sender shows it: whsec_… or whpk_…")


def _key(key: str) -> bytes:
    # Some senders leave the padding out; what is more than needed is not looked at.
    return base64.b64decode(key.partition("_")[2] + "==")
