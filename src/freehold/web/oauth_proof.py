"""Access tokens that are bound to a key, as a credential: `Authorization: DPoP <token>` with a proof (RFC 9449 7)."""

from __future__ import annotations

import re

from starlette.requests import HTTPConnection

from freehold.errors import Unauthenticated
from freehold.identity.authenticate import unproved_token
from freehold.identity.provider import proofs
from freehold.identity.provider.proofs import NonceWanted, ProofRefused
from freehold.identity.service import Identity
from freehold.resource.principal import Principal
from freehold.web.oauth_wire import is_new, provider_of

_SCHEME = re.compile(r"dpop +([\x21-\x7e]+) *", re.IGNORECASE)


class ProofOfPossession:
    """The reader of the scheme DPoP (`freehold.web.credentials`)."""

    source = "Authorization"

    def __init__(self, identity: Identity) -> None:
        self._identity = identity

    def is_given(self, connection: HTTPConnection) -> bool:
        """See `CredentialReader`."""
        return any(_SCHEME.fullmatch(value) for value in connection.headers.getlist("authorization"))

    async def read(self, connection: HTTPConnection) -> Principal:
        """The holder of the token, who has proved to hold its key, for this method and address, for the first time."""
        sent, given = connection.headers.getlist("authorization"), connection.headers.getlist("dpop")
        match = _SCHEME.fullmatch(sent[0])
        if len(sent) > 1 or match is None or len(given) != 1:
            raise unproved_token()
        token, parts = match.group(1), provider_of(self._identity)
        try:
            proof = proofs.verify(
                given[0],
                method=str(connection.scope.get("method", "GET")),
                url=parts.issuer + connection.url.path,
                access_token=token,
                nonces=parts.nonces,
            )
        except NonceWanted as wanted:
            raise _nonce_wanted(wanted.nonce) from None
        except ProofRefused:
            raise unproved_token() from None
        holder = await self._identity.parts.bearer.holder(token, key_thumbprint=proof.key_thumbprint)
        if not await is_new(self._identity.parts.database, proof):
            raise unproved_token()
        return holder


def _nonce_wanted(nonce: str) -> Unauthenticated:
    headers = {"WWW-Authenticate": 'DPoP error="use_dpop_nonce"', "DPoP-Nonce": nonce}
    return Unauthenticated("Put the nonce of DPoP-Nonce into the proof.", headers=headers)
