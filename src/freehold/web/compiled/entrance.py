"""Where a request comes in."""

from __future__ import annotations

import time
from typing import Final

from fastapi import FastAPI
from starlette.types import ASGIApp, Receive, Scope, Send

ASKED_AGAIN_SECONDS: Final = 1.0


class Entrance(FastAPI):
    """FastAPI asks with every request, of the environment and of OpenTelemetry, whether somebody set up telemetry.

    Asked once a second, that costs nothing; while it is set up, requests take FastAPI's own way. Otherwise this does what
    FastAPI and Starlette do.
    """

    _untraced_until = 0.0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request, or the lifespan."""
        if scope["type"] != "http" or not self.is_untraced():
            await super().__call__(scope, receive, send)
            return
        if self.root_path:
            scope["root_path"] = self.root_path
        scope["app"] = self
        if self.middleware_stack is None:
            self.middleware_stack = self.build_middleware_stack()
        await self.middleware_stack(scope, receive, send)

    def leads_straight_to(self, stack: ASGIApp) -> bool:
        """Whether nothing stands between a server and `stack`: no class of somebody's own, nothing around it, no mount, no telemetry."""
        is_plain = self.middleware_stack is stack and not self.root_path
        return is_plain and type(self).__call__ is Entrance.__call__ and self.is_untraced()

    def is_untraced(self) -> bool:
        """Whether nobody has set up telemetry, so that requests need not take FastAPI's own way."""
        now = time.monotonic()
        if now < self._untraced_until:
            return True
        telemetry = getattr(self, "_native_telemetry", None)
        if telemetry is None or telemetry.enabled():  # or this FastAPI is another one than was tested
            return False
        self._untraced_until = now + ASKED_AGAIN_SECONDS
        return True
