"""What an application does in development alone; elsewhere none of it is there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.types import ASGIApp

from freehold.observe.blocking_log import logging_blocks
from freehold.resource.principal import Authenticator
from freehold.settings import Environment, Settings
from freehold.web.server_timing import ServerTiming, TimedAuthenticator

if TYPE_CHECKING:
    from freehold.web.app import Freehold

__all__ = ["logging_blocks", "timed", "timed_guard"]


def timed(inside: ASGIApp, app: Freehold) -> ASGIApp:
    """What stands inside the edge, with `Server-Timing`."""
    return ServerTiming(inside, app.database) if app.settings.env is Environment.DEVELOPMENT else inside


def timed_guard(authenticator: Authenticator, settings: Settings) -> Authenticator:
    """The authenticator, with a clock beside it."""
    return TimedAuthenticator(authenticator) if settings.env is Environment.DEVELOPMENT else authenticator
