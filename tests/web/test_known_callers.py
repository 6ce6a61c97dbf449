"""Who calls is known without waiting where that is sure, and nobody is let in by it whom the whole way would refuse."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from freehold.errors import Unauthenticated
from freehold.identity.service import Identity
from freehold.resource.principal import ANONYMOUS, Principal
from freehold.web.credentials import CredentialChain

BEARER = (b"authorization", b"Bearer token")


class Careful(Identity):
    """Somebody's own: it has a second thought."""

    async def authenticate(self, authorization: Sequence[str]) -> Principal:
        raise Unauthenticated


class Sure:
    """What a bearer knows."""

    def known(self, authorization: str) -> Principal:
        return Principal(reason=authorization)


def scope(*fields: tuple[bytes, bytes]) -> dict[str, Any]:
    return {"type": "http", "headers": list(fields)}


def of(kind: type[Identity], monkeypatch: pytest.MonkeyPatch) -> Identity:
    found = kind.__new__(kind)
    monkeypatch.setattr(Identity, "parts", type("Parts", (), {"bearer": Sure()})())
    return found


def test_an_identity_of_the_library_says_whom_it_knows(monkeypatch: pytest.MonkeyPatch) -> None:
    found = CredentialChain().at_once(scope(BEARER), of(Identity, monkeypatch))
    assert found is not None
    assert found.reason == "Bearer token"


def test_one_of_somebodys_own_is_asked_in_full(monkeypatch: pytest.MonkeyPatch) -> None:
    assert CredentialChain().at_once(scope(BEARER), of(Careful, monkeypatch)) is None


def test_two_credentials_are_not_known_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    assert CredentialChain().at_once(scope(BEARER, BEARER), of(Identity, monkeypatch)) is None


def test_who_shows_nothing_is_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    assert CredentialChain().at_once(scope((b"accept", b"*/*")), of(Identity, monkeypatch)) is ANONYMOUS
