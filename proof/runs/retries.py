"""Connections that break between the request and its answer."""

from __future__ import annotations

import asyncio
import json
import random
from uuid import UUID, uuid4

from proof.figures import HUNG_UP_DOUBLED, Count, Figures
from proof.runs.judging import references, surplus
from proof.runs.races import product
from proof.service import Service

CLIENTS = 8
ORDERS = 12
LONGEST_SECONDS = 0.03


async def run(service: Service) -> Figures:
    """Each order is sent, its connection lost within 30 ms, and sent again with its key until an answer came."""
    wanted = await product(service, units=10**6)
    await asyncio.gather(*(_orders(service, wanted, number) for number in range(CLIENTS)))
    doubled = surplus(await references(service, "hung-up-"))
    return {HUNG_UP_DOUBLED: Count(doubled, CLIENTS * ORDERS)}


async def _orders(service: Service, wanted: str, number: int) -> None:
    guest = uuid4()
    for turn in range(ORDERS):
        reference = f"hung-up-{number}-{turn}"
        body = {"product_id": wanted, "reference": reference}
        await _send_and_hang_up(service.port, body, guest, reference)
        await service.insist("/v1/orders", body, guest=guest, key=reference)


async def _send_and_hang_up(port: int, body: dict[str, str], guest: UUID, key: str) -> None:
    content = json.dumps(body).encode()
    head = (
        f'POST /v1/orders HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {guest}\r\nIdempotency-Key: "{key}"\r\n'
        f"Content-Type: application/json\r\nContent-Length: {len(content)}\r\n\r\n"
    )
    _, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(head.encode() + content)
    await writer.drain()
    await asyncio.sleep(random.uniform(0, LONGEST_SECONDS))
    writer.transport.abort()
