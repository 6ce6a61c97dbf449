"""The brokers that the suite knows: where each listens, and its address by another port."""

from __future__ import annotations

import os
import socket
from urllib.parse import urlsplit

from tests.redis_server import missing

ADDRESSES = {
    "nats": os.environ.get("FREEHOLD_TEST_NATS", "nats://127.0.0.1:4222"),
    "rabbitmq": os.environ.get("FREEHOLD_TEST_RABBITMQ", "amqp://guest:guest@127.0.0.1:5672/"),
    "redis": os.environ.get("FREEHOLD_TEST_REDIS", "redis://127.0.0.1:6379"),
    "postgresql": os.environ.get("FREEHOLD_TEST_POSTGRES", "postgresql://postgres@127.0.0.1:5432/postgres").replace(
        "postgresql+asyncpg", "postgresql"
    ),
}


def where(kind: str) -> tuple[str, int]:
    """Host and port; the test is skipped where nobody listens there."""
    parts = urlsplit(ADDRESSES[kind])
    place = parts.hostname or "", parts.port or 0
    try:
        socket.create_connection(place, timeout=3).close()
    except OSError as error:
        missing(f"{kind} is not reachable at {place[0]}:{place[1]}: {error!r}")
    return place


def at(kind: str, port: int) -> str:
    """The address of the same broker behind a proxy. (Its TLS would not survive a cut quietly, hence none.)"""
    parts = urlsplit(ADDRESSES[kind])
    who, _, _ = parts.netloc.rpartition("@")
    url = parts._replace(netloc=f"{who}@127.0.0.1:{port}" if who else f"127.0.0.1:{port}").geturl()
    return f"{url}?sslmode=disable" if kind == "postgresql" else url
