"""How senders sign what they send: Standard Webhooks, GitHub's way, Stripe's way, and what is like them.

A sender turns the headers and the raw bytes of a request into the id of the message, or refuses them. Ids come from
what is signed: another header could be changed, and the same message sent as a new one.
"""

from __future__ import annotations

import binascii
import hmac
import json
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Literal, Protocol

from pydantic import SecretStr

from freehold.errors import BadRequest, ConfigurationError
from freehold.resource import clock
from freehold.webhooks.signing import check_key, is_signed

WINDOW = timedelta(minutes=5)
"""How far a signed time may be off, both ways: as Standard Webhooks and Stripe have it."""

Secret = str | SecretStr
IdOf = Callable[[bytes], str]


class NotGenuine(BadRequest):
    """It is not signed by its sender, or not now."""

    code, title = "webhooks.not_genuine", "The webhook is not genuine"


class Sender(Protocol):
    """Checks what somebody sends."""

    def check(self, headers: Mapping[str, str], body: bytes) -> str:
        """The id of a genuine message: the same at every try of its sender. Raises NotGenuine."""
        ...


class StandardWebhooks:
    """By Standard Webhooks: `webhook-id`, `webhook-timestamp`, `webhook-signature`.

    keys: `whsec_…` (HMAC-SHA256) or `whpk_…` (Ed25519); several while one is changed. Raises ConfigurationError.
    """

    def __init__(self, *keys: Secret) -> None:
        self._keys = _plain(keys)
        for key in self._keys:
            try:
                check_key(key)
            except (ValueError, binascii.Error):
                raise ConfigurationError(
                    "StandardWebhooks: give keys as their sender shows them: whsec_… or whpk_…"
                ) from None

    def check(self, headers: Mapping[str, str], body: bytes) -> str:
        """See `Sender`."""
        identity, sent_at = headers.get("webhook-id", ""), headers.get("webhook-timestamp", "")
        if not 0 < len(identity) <= 255:
            raise NotGenuine("A webhook-id of up to 255 characters is wanted.")
        if not is_signed(self._keys, f"{identity}.{sent_at}.".encode() + body, headers.get("webhook-signature", "")):
            raise NotGenuine("None of the signatures is by its sender.")
        _require_present(sent_at)
        return identity


class HmacHeader:
    """By one header with an HMAC of the body: `X-Hub-Signature-256: sha256=…`, as GitHub has it.

    Nothing signed says when it was sent, so what tells one message from another is its content: `id_of` finds an id in
    the body, and without it the digest of the body stands for it. Raises ConfigurationError.
    """

    def __init__(
        self,
        *secrets: Secret,
        header: str,
        prefix: str = "",
        digest: Literal["sha256", "sha512"] = "sha256",
        encoding: Literal["hex", "base64"] = "hex",
        id_of: IdOf | None = None,
    ) -> None:
        self._secrets = _plain(secrets)
        self._header, self._prefix = header.lower(), prefix
        self._digest, self._encoding = digest, encoding
        self._id_of = id_of or (lambda body: sha256(body).hexdigest())

    def check(self, headers: Mapping[str, str], body: bytes) -> str:
        """See `Sender`."""
        given = headers.get(self._header, "")
        if not given.startswith(self._prefix) or not any(
            _is_equal(self._written(hmac.digest(secret.encode(), body, self._digest)), given.removeprefix(self._prefix))
            for secret in self._secrets
        ):
            raise NotGenuine(f"The signature in {self._header} is not by its sender.")
        return self._id_of(body)

    def _written(self, raw: bytes) -> str:
        return raw.hex() if self._encoding == "hex" else binascii.b2a_base64(raw, newline=False).decode()


def github(*secrets: Secret) -> HmacHeader:
    """What GitHub sends. Its delivery id is not signed: the content tells one delivery from another."""
    return HmacHeader(*secrets, header="X-Hub-Signature-256", prefix="sha256=")


class Stripe:
    """What Stripe sends: `Stripe-Signature: t=…,v1=…`, and the id of the event in the body. Raises ConfigurationError."""

    def __init__(self, *secrets: Secret) -> None:
        self._secrets = _plain(secrets)

    def check(self, headers: Mapping[str, str], body: bytes) -> str:
        """See `Sender`."""
        parts = [part.strip().partition("=") for part in headers.get("stripe-signature", "").split(",")]
        sent_at = next((value for name, _, value in parts if name == "t"), "")
        given = [value for name, _, value in parts if name == "v1"]
        signed = sent_at.encode() + b"." + body
        wanted = [hmac.digest(secret.encode(), signed, "sha256").hex() for secret in self._secrets]
        if not any(_is_equal(one, other) for one in wanted for other in given):
            raise NotGenuine("The signature in stripe-signature is not by its sender.")
        _require_present(sent_at)
        return id_in_body(body)


def id_in_body(body: bytes) -> str:
    """The `id` of a JSON object. Raises NotGenuine where there is none."""
    try:
        identity = json.loads(body)["id"]
    except (ValueError, KeyError, TypeError, RecursionError):
        identity = None
    if not isinstance(identity, str) or not 0 < len(identity) <= 255:
        raise NotGenuine("The body has no id.")
    return identity


def _require_present(seconds: str) -> None:
    try:
        sent_at = datetime.fromtimestamp(int(seconds), tz=clock.now().tzinfo)
    except (ValueError, OverflowError, OSError):
        raise NotGenuine("Its time is no number of seconds.") from None
    if abs(clock.now() - sent_at) > WINDOW:
        raise NotGenuine("Its time is more than five minutes off.")


def _is_equal(one: str, other: str) -> bool:
    return hmac.compare_digest(one.encode(), other.encode())


def _plain(secrets: tuple[Secret, ...]) -> list[str]:
    found = [each.get_secret_value() if isinstance(each, SecretStr) else each for each in secrets]
    if not found or not all(found):
        raise ConfigurationError("a webhook without a secret could be sent by anybody: give its sender's")
    return found
