"""What is said of a log-in: how long it lasts, on which device, what it answers, and when it is refused."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from freehold.errors import Unauthenticated


@dataclass(frozen=True, slots=True)
class Lifetimes:
    """How long a log-in lasts. idle: without a refresh. absolute: with any number of them. grace: for a lost answer."""

    idle: timedelta = timedelta(days=14)
    absolute: timedelta = timedelta(days=90)
    grace: timedelta = timedelta(seconds=10)


@dataclass(frozen=True, slots=True)
class Device:
    """What is known of the client of a log-in; shown to its owner, never believed."""

    address: str = ""
    user_agent: str = ""


UNKNOWN = Device()


@dataclass(frozen=True, slots=True)
class TokenAnswer:
    """The answer of the token route (RFC 6749 5.1). scope: empty when the log-in is not restricted."""

    access_token: str
    expires_in: int
    refresh_token: str
    scope: str
    token_type: str = "Bearer"  # noqa: S105 (its name, not its value)


class InvalidGrant(Unauthenticated):
    """The refresh token is unknown, used, too old, or its log-in has ended: one answer for all."""

    code, title = "auth.invalid_grant", "The refresh token is not good"
