"""GitHub: OAuth 2 without an ID token. Who somebody is, is what its API says to the token that the code is good for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from freehold.identity.social.problems import LoginFailed
from freehold.identity.social.provider import Asking, Profile, Question, host_of, required_text


class GitHub:
    """github.com, or a server of one's own (`url`), whose API is under `/api/v3` unless `api_url` says otherwise."""

    name, title = "github", "GitHub"

    def __init__(
        self, client_id: str, client_secret: str, *, url: str = "https://github.com", api_url: str = ""
    ) -> None:
        self.issuer = url.rstrip("/")
        self._api = api_url or ("https://api.github.com" if url == "https://github.com" else f"{self.issuer}/api/v3")
        self._client_id, self._client_secret = client_id, client_secret

    @property
    def hosts(self) -> frozenset[str]:
        """Both, as the operator has named them."""
        return frozenset({host_of(self.issuer), host_of(self._api)})

    async def address(self, ask: Asking, question: Question) -> str:
        """See `Provider`."""
        asked = {
            "client_id": self._client_id,
            "redirect_uri": question.redirect_uri,
            "scope": "read:user user:email",
            "state": question.state,
            "code_challenge": question.challenge,
            "code_challenge_method": "S256",
        }
        return f"{self.issuer}/login/oauth/authorize?{urlencode(asked)}"

    async def profile(self, ask: Asking, question: Question, parameters: Mapping[str, str]) -> Profile:
        """See `Provider`."""
        form = {
            "client_id": self._client_id,
            "client_secret": self._client_secret,
            "code": required_text(parameters, "code"),
            "redirect_uri": question.redirect_uri,
            "code_verifier": question.verifier,
        }
        # A wrong code is answered with 200 and an `error`: then there is no token in it.
        tokens = await ask.object(f"{self.issuer}/login/oauth/access_token", form=form)
        headers = {"Authorization": f"Bearer {required_text(tokens, 'access_token')}"}
        user = await ask.object(f"{self._api}/user", headers=headers)
        subject = user.get("id")
        if not isinstance(subject, int) or isinstance(subject, bool):
            raise LoginFailed("The provider's answer has no good 'id'.")
        email = _primary((await ask.json(f"{self._api}/user/emails", headers=headers)).content)
        return Profile(
            issuer=self.issuer,
            subject=str(subject),
            email=email,
            is_email_verified=email is not None,
            full_name=str(user.get("name") or user.get("login") or ""),
        )


def _primary(listed: Any) -> str | None:
    """The address that the person has made theirs, if GitHub has verified it; the public one of a profile is anybody's."""
    for each in listed if isinstance(listed, list) else []:
        if isinstance(each, dict) and each.get("primary") is True and each.get("verified") is True:
            email = each.get("email")
            return email if isinstance(email, str) else None
    return None
