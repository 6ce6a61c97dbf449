"""The keys of one issuer, kept as long as it says, and asked for again where a token names one that is not among them."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from typing import Any, Final

from joserfc.errors import JoseError
from joserfc.jwk import ECKey, OKPKey, RSAKey

from freehold.identity.social.problems import LoginFailed, ProviderAway
from freehold.identity.social.provider import Asking

SHORTEST, LONGEST, WHERE_UNSAID = 300, 86_400, 3_600
"""Seconds for which keys are kept, whatever the issuer says."""
PAUSE_SECONDS: Final = 30.0
"""Between two questions, however many unknown keys are named meanwhile (L04)."""
_MOST_KEYS: Final = 100
_KINDS: Final[dict[str, Any]] = {"RSA": RSAKey, "EC": ECKey, "OKP": OKPKey}
Key = RSAKey | ECKey | OKPKey


class KeySet:
    """Public keys by id. A key without an id has the empty one."""

    def __init__(self) -> None:
        self._keys: dict[str, tuple[Key, Mapping[str, Any]]] = {}
        self._good_until = float("-inf")
        self._asked_at = float("-inf")
        self._turn = asyncio.Lock()

    async def find(self, ask: Asking, url: str, kid: str) -> tuple[Key, Mapping[str, Any]]:
        """A key, and what the set says of it. Raises LoginFailed for one that is not there, ProviderAway."""
        if not self._has(kid):
            async with self._turn:
                if not self._has(kid):
                    await self._refresh(ask, url)
        if not self._has(kid):
            raise LoginFailed("The ID token names a key that the provider does not publish.")
        return self._keys[kid or self._only()]

    def _has(self, kid: str) -> bool:
        return time.monotonic() < self._good_until and (kid or self._only()) in self._keys

    def _only(self) -> str:
        """The id that no id stands for: that of the one key there is (OIDC Core 10.1)."""
        return next(iter(self._keys)) if len(self._keys) == 1 else ""

    async def _refresh(self, ask: Asking, url: str) -> None:
        now = time.monotonic()
        is_over = now >= self._good_until
        if now - self._asked_at < PAUSE_SECONDS:
            if is_over:
                raise ProviderAway("The keys of the provider could not be had a moment ago.")
            return
        self._asked_at = now
        try:
            told = await ask.json(url)
            self._keys = _keys(told.content)
        except (ProviderAway, LoginFailed):
            if is_over:
                raise
            return  # what is known goes on working for its time
        age = WHERE_UNSAID if told.max_age is None else told.max_age
        self._good_until = time.monotonic() + min(max(age, SHORTEST), LONGEST)


def _keys(content: Any) -> dict[str, tuple[Key, Mapping[str, Any]]]:
    listed = content.get("keys") if isinstance(content, dict) else None
    if not isinstance(listed, list):
        raise LoginFailed("The provider's key set is none.")
    found: dict[str, tuple[Key, Mapping[str, Any]]] = {}
    for each in listed[:_MOST_KEYS]:
        if not isinstance(each, dict) or each.get("use", "sig") != "sig" or each.get("kty") not in _KINDS:
            continue  # symmetric keys are no one's to publish, and others are not for signatures
        public = {name: value for name, value in each.items() if name not in ("d", "p", "q", "dp", "dq", "qi")}
        try:
            key: Key = _KINDS[each["kty"]].import_key(public)
        except (JoseError, ValueError, TypeError, KeyError):
            continue  # RFC 7517 5: what is not understood is passed over
        found.setdefault(str(each.get("kid", "")), (key, each))
    return found
