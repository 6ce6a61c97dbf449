"""The port to other processes: a broker that carries "there is work" and nothing else.

The rows are the truth. A message that is lost costs the wait for the next poll, one too many costs a look.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol
from urllib.parse import urlsplit

from freehold.errors import ConfigurationError
from freehold.settings.broker import BROKERS

Heard = Callable[[bytes], None]


class Broker(Protocol):
    """One connection over which every process on `topic` hears what any of them sends."""

    async def connect(self, heard: Heard) -> None:
        """Connect and listen. Raises whatever the client raises; connects anew after `close`."""
        ...

    async def send(self, message: bytes) -> None:
        """Say it to all who listen now; returns when the broker has it. Raises when the connection is lost."""
        ...

    async def check(self) -> None:
        """One round trip. Raises when the connection is lost."""
        ...

    async def close(self) -> None:
        """Give the connection back, whatever state it is in."""
        ...


def open_broker(url: str, *, topic: str) -> Broker:
    """The broker at `url`; nothing connects yet. topic: what the processes of one service have in common.

    Raises ConfigurationError where its client is not installed.
    """
    scheme = urlsplit(url).scheme
    try:
        return _opened(scheme, url, topic)
    except ImportError as error:
        raise ConfigurationError(
            f"FREEHOLD_BROKER_URL names {scheme}:// and its client is not installed: pip install freehold[{BROKERS[scheme]}]"
        ) from error


def _opened(scheme: str, url: str, topic: str) -> Broker:  # imports stand here: each client is an extra
    match BROKERS.get(scheme):
        case "nats":
            from freehold.jobs.brokers.nats import NatsBroker  # noqa: PLC0415

            return NatsBroker(url, topic)
        case "rabbitmq":
            from freehold.jobs.brokers.rabbitmq import RabbitBroker  # noqa: PLC0415

            return RabbitBroker(url, topic)
        case "redis":
            from freehold.jobs.brokers.redis import RedisBroker  # noqa: PLC0415

            return RedisBroker(url, topic)
        case "postgres":
            from freehold.jobs.brokers.postgresql import PostgresBroker  # noqa: PLC0415

            return PostgresBroker(url, topic)
        case _:  # the settings take no other
            raise ConfigurationError(f"FREEHOLD_BROKER_URL: {scheme}:// is not spoken; use {', '.join(BROKERS)}")
