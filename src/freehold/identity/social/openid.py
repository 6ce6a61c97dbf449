"""A provider that speaks OpenID Connect, found by its issuer alone (Discovery 1.0)."""

from __future__ import annotations

import base64
import time
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import quote, urlencode, urlsplit

from freehold.identity.social import id_tokens
from freehold.identity.social.key_set import KeySet
from freehold.identity.social.problems import LoginFailed, ProviderAway
from freehold.identity.social.provider import Asking, Profile, Question, host_of, required_text

GOOGLE: Final = "https://accounts.google.com"
KEPT_SECONDS: Final = 3_600.0
_BASIC: Final = "client_secret_basic"
_SCOPE: Final = "openid email profile"


class OpenId:
    """An issuer. client_id, client_secret: under which it knows this service; no secret for a public client.

    issuer: exactly as its tokens have it. scope: what is asked for. auth_method: `client_secret_basic` or
    `client_secret_post`, where the issuer takes both and has one on record for this client; otherwise as it says.
    """

    def __init__(
        self,
        name: str,
        issuer: str,
        client_id: str,
        client_secret: str = "",
        *,
        title: str = "",
        scope: str = _SCOPE,
        auth_method: str = "",
    ) -> None:
        self.name, self.issuer, self.title = name, issuer, title or name.replace("-", " ").title()
        self._client_id, self._client_secret, self._scope = client_id, client_secret, scope
        self._auth_method = auth_method
        self._keys = KeySet()
        self._metadata: Mapping[str, Any] = {}
        self._read_at = float("-inf")

    @property
    def hosts(self) -> frozenset[str]:
        """The issuer's, which the operator has named; where else it leads is judged like any address."""
        return frozenset({host_of(self.issuer)})

    async def address(self, ask: Asking, question: Question) -> str:
        """See `Provider`."""
        metadata = await self._discovered(ask)
        asked = {
            "response_type": "code",
            "client_id": self._client_id,
            "redirect_uri": question.redirect_uri,
            "scope": self._scope,
            "state": question.state,
            "nonce": question.nonce,
            "code_challenge": question.challenge,
            "code_challenge_method": "S256",
        }
        endpoint = required_text(metadata, "authorization_endpoint")
        if urlsplit(endpoint).scheme != urlsplit(self.issuer).scheme:
            raise LoginFailed("The provider sends people where nothing is secret.")
        return f"{endpoint}{'&' if urlsplit(endpoint).query else '?'}{urlencode(asked)}"

    async def profile(self, ask: Asking, question: Question, parameters: Mapping[str, str]) -> Profile:
        """See `Provider`."""
        metadata = await self._discovered(ask)
        self._refuse_mix_up(metadata, parameters)
        tokens = await self._exchanged(ask, metadata, question, required_text(parameters, "code"))
        claims = await id_tokens.judge(
            required_text(tokens, "id_token", longest=id_tokens.LONGEST_TOKEN),
            ask=ask,
            keys=self._keys,
            keys_url=required_text(metadata, "jwks_uri"),
            issuer=self.issuer,
            client_id=self._client_id,
            question=question,
            algorithms=_algorithms(metadata),
        )
        if "email" not in claims and "userinfo_endpoint" in metadata:
            claims = {**await self._user_info(ask, metadata, tokens, claims["sub"]), **claims}
        return Profile(
            issuer=self.issuer,
            subject=claims["sub"],
            email=claims["email"] if isinstance(claims.get("email"), str) else None,
            is_email_verified=claims.get("email_verified") is True,
            full_name=claims["name"] if isinstance(claims.get("name"), str) else "",
        )

    def _refuse_mix_up(self, metadata: Mapping[str, Any], parameters: Mapping[str, str]) -> None:
        """RFC 9207: the answer says whose it is, where the issuer promises to say so; another one's is not taken."""
        promised = metadata.get("authorization_response_iss_parameter_supported") is True
        if parameters.get("iss", None if promised else self.issuer) != self.issuer:
            raise LoginFailed("The answer is that of another issuer.")

    async def _exchanged(
        self, ask: Asking, metadata: Mapping[str, Any], question: Question, code: str
    ) -> Mapping[str, Any]:
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": question.redirect_uri,
            "code_verifier": question.verifier,
        }
        headers: dict[str, str] = {}
        methods = metadata.get("token_endpoint_auth_methods_supported") or [_BASIC]
        if not self._client_secret:
            form["client_id"] = self._client_id
        elif (self._auth_method or (_BASIC if _BASIC in methods else "")) == _BASIC:
            pair = f"{quote(self._client_id, safe='')}:{quote(self._client_secret, safe='')}"  # RFC 6749 2.3.1
            headers["Authorization"] = f"Basic {base64.b64encode(pair.encode()).decode()}"
        else:
            form |= {"client_id": self._client_id, "client_secret": self._client_secret}
        return await ask.object(required_text(metadata, "token_endpoint"), form=form, headers=headers)

    async def _user_info(
        self, ask: Asking, metadata: Mapping[str, Any], tokens: Mapping[str, Any], subject: str
    ) -> Mapping[str, Any]:
        bearer = {"Authorization": f"Bearer {required_text(tokens, 'access_token')}"}
        told = await ask.object(required_text(metadata, "userinfo_endpoint"), headers=bearer)
        if told.get("sub") != subject:
            raise LoginFailed("The user info is about somebody else.")  # OIDC Core 5.3.4
        return told

    async def _discovered(self, ask: Asking) -> Mapping[str, Any]:
        if time.monotonic() - self._read_at < KEPT_SECONDS:
            return self._metadata
        try:
            found = await ask.object(self.issuer.rstrip("/") + "/.well-known/openid-configuration")
        except ProviderAway:
            if self._metadata:
                return self._metadata  # old, and the provider decides whether it still holds
            raise
        if found.get("issuer") != self.issuer:
            raise LoginFailed("The provider's configuration is that of another issuer.")
        self._metadata, self._read_at = found, time.monotonic()
        return found


def google(client_id: str, client_secret: str) -> OpenId:
    """Google, as its issuer."""
    return OpenId("google", GOOGLE, client_id, client_secret, title="Google")


def _algorithms(metadata: Mapping[str, Any]) -> frozenset[str]:
    said = metadata.get("id_token_signing_alg_values_supported") or ["RS256"]
    return frozenset(name for name in said if isinstance(name, str)) & frozenset(id_tokens.ALGORITHMS)
