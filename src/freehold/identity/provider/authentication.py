"""Which client is asking, and its proof (RFC 6749 2.3): a secret, a signed assertion, or none for a public client."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING
from urllib.parse import unquote_plus

from freehold.identity.provider import assertions, once
from freehold.identity.provider.assertions import AssertionRefused
from freehold.identity.provider.clients import Client, Clients
from freehold.identity.provider.faults import invalid_client, invalid_request
from freehold.identity.sealing import token_hash
from freehold.resource.principal import system
from freehold.resource.quotas import Quota
from freehold.traffic.limits import Limiter, QuotaExceeded, address_key

if TYPE_CHECKING:
    from freehold.store.database import Database
    from freehold.store.unit import Unit

WRONG = Quota(20, timedelta(minutes=5), when_away="count")
"""Wrong proofs by client and address: no other address can shut a client out."""
METHODS = ("client_secret_basic", "client_secret_post", "private_key_jwt", "none")


@dataclass(frozen=True, slots=True)
class _Proof:
    client_id: str
    secret: str | None = None
    assertion: str | None = None


class ClientAuthentication:
    """Finds the client behind a request to one of the endpoints that clients ask themselves.

    audiences: what an assertion may be addressed to: the issuer, and the token endpoint.
    """

    def __init__(self, database: Database, clients: Clients, limiter: Limiter, *, audiences: Sequence[str]) -> None:
        self._database = database
        self._clients = clients
        self._limiter = limiter
        self._audiences = frozenset(audiences)

    async def __call__(self, authorization: Sequence[str], form: Mapping[str, str], *, address: str) -> Client:
        """The client, which has proved that it is itself where it can. Raises OAuthError, QuotaExceeded (O10)."""
        proof = _proof(authorization, form)
        key = f"{address_key(address)} {token_hash(proof.client_id).hex()[:32]}"
        decision = await self._limiter.hit("oauth-client", key, WRONG)
        if not decision.allowed:
            raise QuotaExceeded([decision])
        client = await self._verified(proof)
        await self._limiter.give_back("oauth-client", key, WRONG)
        return client

    async def _verified(self, proof: _Proof) -> Client:
        async with self._database.reading(system("find an OAuth client")) as session:
            client = await self._clients.find(session, proof.client_id)
        if client is None:
            raise invalid_client()
        if client.jwks is not None:
            await self._check_assertion(client, proof)
        elif client.is_public:
            if proof.secret is not None or proof.assertion is not None:
                raise invalid_client()
        elif proof.secret is None or not client.is_right(proof.secret):
            raise invalid_client()
        return client

    async def _check_assertion(self, client: Client, proof: _Proof) -> None:
        if proof.assertion is None or client.jwks is None:
            raise invalid_client()
        try:
            found = assertions.verify(
                proof.assertion, client_id=str(client.id), jwks=client.jwks, audiences=self._audiences
            )
        except AssertionRefused:
            raise invalid_client() from None

        async def work(unit: Unit) -> bool:
            return await once.is_first(unit.session, "assertion", str(client.id), found.jti, until=found.until)

        if not await self._database.run(system("an assertion works once"), work):
            raise invalid_client()


def _proof(authorization: Sequence[str], form: Mapping[str, str]) -> _Proof:
    """What the request says. Raises OAuthError where it proves itself in two ways, or in none that is known."""
    basic = _basic(authorization)
    ways = [basic is not None, "client_secret" in form, "client_assertion" in form]
    if sum(ways) > 1:
        raise invalid_request("A client proves itself in one way.")
    if basic is not None:
        if form.get("client_id", basic.client_id) != basic.client_id:
            raise invalid_request("client_id differs from the one in the Authorization header.")
        return basic
    if "client_assertion" in form:
        return _asserted(form)
    if "client_id" not in form:
        raise invalid_client()
    return _Proof(form["client_id"], secret=form.get("client_secret"))


def _asserted(form: Mapping[str, str]) -> _Proof:
    if form.get("client_assertion_type") != assertions.TYPE:
        raise invalid_client()
    try:
        subject = assertions.subject_of(form["client_assertion"])
    except AssertionRefused:
        raise invalid_client() from None
    if form.get("client_id", subject) != subject:
        raise invalid_client()
    return _Proof(subject, assertion=form["client_assertion"])


def _basic(authorization: Sequence[str]) -> _Proof | None:
    """RFC 6749 2.3.1: both parts are form-encoded before they are joined. Another scheme is no proof of a client."""
    if not authorization:
        return None
    scheme, _, credentials = authorization[0].partition(" ")
    if len(authorization) > 1 or scheme.lower() != "basic":
        raise invalid_client()
    try:
        text = base64.b64decode(credentials.strip(), validate=True).decode("utf-8")
    except (binascii.Error, UnicodeDecodeError, ValueError):
        raise invalid_client() from None
    client_id, colon, secret = text.partition(":")
    if not colon:
        raise invalid_client()
    return _Proof(unquote_plus(client_id), secret=unquote_plus(secret))
