"""How a refused start is told: by its message. The framework would tell it by a traceback of its own frames."""

from __future__ import annotations

import sys

from starlette.types import Message, Send

from freehold.errors import ConfigurationError


def telling(send: Send) -> Send:
    """Wrap `send` of a lifespan: a ConfigurationError arrives at the server as what it says."""

    async def tell(message: Message) -> None:
        # Starlette sends from within its `except`, with the traceback as text.
        refusal = sys.exception()
        if message["type"] == "lifespan.startup.failed" and isinstance(refusal, ConfigurationError):
            message = {**message, "message": f"freehold: {refusal}"}
        await send(message)

    return tell
