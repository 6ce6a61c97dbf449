"""What settings must not be together, and what production does not take (F14, F15, A15)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from freehold.settings.model import Settings

MIN_SECRET_BYTES = 32
# Parts of the secrets that documentation and examples carry.
PLACEHOLDERS = ("changeme", "change-me", "change_me", "placeholder", "your-secret", "your_secret", "example", "default")
MAKE_ONE = 'Make one with: python3 -c "import secrets; print(secrets.token_urlsafe(48))"'


def faults_of_settings(settings: Settings) -> list[str]:
    """Every fault at once, each with its variable and its remedy."""
    found = list(_everywhere(settings))
    if settings.is_production:
        found += _production(settings)
    return found


def _everywhere(settings: Settings) -> Iterator[str]:
    if settings.secret is None:
        yield f"FREEHOLD_SECRET is missing. {MAKE_ONE}"
    if settings.workers > 1 and settings.database_url.startswith("sqlite") and not settings.redis_url:
        yield (
            f"FREEHOLD_WORKERS={settings.workers} with SQLite: each process would have limits of its own, and keep no answers. "
            "Set FREEHOLD_REDIS_URL to a Redis that they share, FREEHOLD_DATABASE_URL to a PostgreSQL database, or "
            "FREEHOLD_WORKERS=1."
        )
    if settings.jobs == "apart" and settings.database_url.startswith("sqlite") and not settings.redis_url:
        yield (
            "FREEHOLD_JOBS=apart with SQLite: the processes that serve would not hear what workers have changed. "
            "Set FREEHOLD_REDIS_URL to a Redis that they share, FREEHOLD_DATABASE_URL to a PostgreSQL database, or "
            "FREEHOLD_JOBS=inside."
        )
    if settings.database_url.startswith("sqlite") and (settings.owner_url or settings.reader_url):
        yield (
            "FREEHOLD_OWNER_URL and FREEHOLD_READER_URL are log-ins to the PostgreSQL database that FREEHOLD_DATABASE_URL "
            "names, and that is SQLite. Remove them, or set FREEHOLD_DATABASE_URL."
        )
    if settings.replicas and settings.database_url.startswith("sqlite"):
        yield (
            "FREEHOLD_REPLICAS are replicas of the PostgreSQL database that FREEHOLD_DATABASE_URL names, and that is SQLite. "
            "Remove them, or set FREEHOLD_DATABASE_URL."
        )
    elif settings.replicas and not settings.redis_url:
        yield (
            "FREEHOLD_REPLICAS without FREEHOLD_REDIS_URL: no process would know what a replica has to have, and a client "
            "could miss what it has just written. Set FREEHOLD_REDIS_URL to a Redis that all processes share."
        )
    if "*" in settings.cors_origins and len(settings.cors_origins) > 1:
        yield "FREEHOLD_CORS_ORIGINS: * beside other origins makes them pointless. List the origins, or * alone."


def _production(settings: Settings) -> Iterator[str]:
    if settings.secret is not None:
        yield from _weak(settings.secret.get_secret_value())
    if settings.debug:
        yield "FREEHOLD_DEBUG is on, and FREEHOLD_ENV is production. Remove it."
    if settings.limits != "on":
        yield f"FREEHOLD_LIMITS={settings.limits} is for development and test. Remove it."
    if not settings.public_url.startswith("https://"):
        yield "FREEHOLD_PUBLIC_URL must be given in production, as https://: cookies and links are made for it."
    if "*" in settings.hosts:
        yield "FREEHOLD_HOSTS: * answers to any name, also to an attacker's. List the names."
    if "*" in settings.cors_origins:
        yield "FREEHOLD_CORS_ORIGINS: * lets the pages of any site call the service for their visitors. List the origins."
    if "=http://" in settings.login_oidc:
        yield "FREEHOLD_LOGIN_OIDC: an issuer at http:// can be impersonated by anyone in between. Write https://."
    if settings.allowed_receivers:
        yield "FREEHOLD_ALLOWED_RECEIVERS lets addresses of users lead into this network: it is for development. Remove it."
    if any(network.endswith("/0") for network in settings.trusted_proxies):
        yield "FREEHOLD_TRUSTED_PROXIES: a network of all addresses lets anyone choose their own. List the proxies."


def _weak(secret: str) -> Iterator[str]:
    if len(secret.encode()) < MIN_SECRET_BYTES:
        yield f"FREEHOLD_SECRET is shorter than {MIN_SECRET_BYTES} bytes. {MAKE_ONE}"
    elif len(set(secret)) < 10 or any(part in secret.casefold() for part in PLACEHOLDERS):
        yield f"FREEHOLD_SECRET is a placeholder or easily guessed. {MAKE_ONE}"
