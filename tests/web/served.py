"""An application behind the server that it has in production, within the loop of a test."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx2
from uvicorn import Server

from freehold.web.edge_server import server
from tests.waiting import until

# What the server itself adds.
OF_THE_SERVER = frozenset({"date", "connection"})

# To load those that the system trusts takes longer than most tests, and nothing here is encrypted.
_NO_CERTIFICATES = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)


@asynccontextmanager
async def started(app: Any, **options: Any) -> AsyncIterator[Server]:
    """The server on a free port, with its own options; it has ended behind this."""
    serving = server(app, host="127.0.0.1", port=0, **options)
    running = asyncio.create_task(serving.serve())
    await until(lambda: serving.started)
    try:
        yield serving
    finally:
        serving.should_exit = True
        await running


def address_of(serving: Server) -> tuple[str, int]:
    """Where it listens."""
    host, port = serving.servers[0].sockets[0].getsockname()
    return host, port


@asynccontextmanager
async def by_server(app: Any) -> AsyncIterator[httpx2.AsyncClient]:
    """A client of the server. The lifespan of `app` is somebody else's."""
    async with started(app, lifespan="off") as serving:
        url = f"http://localhost:{address_of(serving)[1]}"
        async with httpx2.AsyncClient(base_url=url, verify=_NO_CERTIFICATES) as client:
            yield client


def fields_of(answer: httpx2.Response) -> list[tuple[str, str]]:
    """The fields of an answer that are the application's."""
    return [field for field in answer.headers.multi_items() if field[0] not in OF_THE_SERVER]
