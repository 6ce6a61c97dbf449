"""Log-in by other providers: Google, GitHub, and any issuer of OpenID Connect.

Belongs here: asking a provider who somebody is, judging its answer, and which account that is. Never here: HTTP
(`freehold.web.social`), and what a log-in then may do.
"""

from freehold.identity.social.github import GitHub
from freehold.identity.social.openid import OpenId, google
from freehold.identity.social.problems import (
    AccountExists,
    AlreadyLinked,
    AttemptUnknown,
    EmailUnverified,
    LastWayIn,
    LoginDenied,
    LoginFailed,
    ProviderAway,
    RegistrationNeeded,
)
from freehold.identity.social.provider import Profile, Provider

__all__ = [
    "AccountExists",
    "AlreadyLinked",
    "AttemptUnknown",
    "EmailUnverified",
    "GitHub",
    "LastWayIn",
    "LoginDenied",
    "LoginFailed",
    "OpenId",
    "Profile",
    "Provider",
    "ProviderAway",
    "RegistrationNeeded",
    "google",
]
