"""The providers that the settings name."""

from __future__ import annotations

from freehold.identity.social.github import GitHub
from freehold.identity.social.openid import OpenId, google
from freehold.identity.social.provider import Provider
from freehold.settings import Settings
from freehold.settings.login import LoginClient, listed_issuers


def providers_of(settings: Settings) -> list[Provider]:
    """In the order in which they are shown."""
    found: list[Provider] = []
    if settings.login_google:
        client = LoginClient.pair("google", settings.login_google)
        found.append(google(client.client_id, client.client_secret))
    if settings.login_github:
        client = LoginClient.pair("github", settings.login_github)
        found.append(GitHub(client.client_id, client.client_secret))
    found += [
        OpenId(each.name, each.address, each.client_id, each.client_secret)
        for each in listed_issuers(settings.login_oidc)
    ]
    return found
