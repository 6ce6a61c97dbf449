"""One try of one delivery: what is sent, to whom, and what came of it."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson

from freehold.jobs import carriage
from freehold.resource import clock
from freehold.traffic import Fetcher, FetchFailed
from freehold.webhooks.dispatcher import Dispatcher
from freehold.webhooks.signing import Message
from freehold.webhooks.tables import State

GONE = 410


@dataclass(frozen=True, slots=True)
class Attempt:
    """A delivery that this process has taken, with its event and its endpoint as they stood then.

    token: whoever holds it may write down how it went. number: from 1. data: the row as the event kept it.
    """

    delivery_id: UUID
    token: UUID
    number: int
    event_id: UUID
    type: str
    sequence: int
    occurred_at: datetime
    subject_id: str | None
    data: Mapping[str, Any]
    endpoint_id: UUID
    owner_id: UUID
    url: str
    acts_as: Mapping[str, Any]
    sealed_secret: bytes
    sealed_former_secret: bytes | None
    former_secret_until: datetime | None
    failing_since: datetime | None


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of it. state: pending where it is to be tried again. status: of the answer, if there was one."""

    state: State
    status: int | None = None
    error: str | None = None
    duration_ms: int | None = None


async def permitted(attempt: Attempt, dispatcher: Dispatcher) -> Mapping[str, Any] | None:
    """Judge the owner anew: the fields that they may read now; None where it is nothing of the row."""
    if attempt.subject_id is None:
        return attempt.data
    declared = dispatcher.events.get(attempt.type)
    principal = await carriage.judge(attempt.acts_as, dispatcher.principals)
    if declared is None or principal is None:
        return None
    async with dispatcher.database.reading(principal) as session:
        seen = await dispatcher.sight.seen(session, declared.model, attempt.subject_id)
    return None if seen is None else {name: value for name, value in attempt.data.items() if name in seen}


async def post(attempt: Attempt, data: Mapping[str, Any], dispatcher: Dispatcher, fetcher: Fetcher) -> Outcome:
    """Send what they may see. Only 2xx is success; the body of the answer is not read. Raises Unsealable."""
    message = Message(str(attempt.event_id), clock.now(), _body(attempt, data))
    headers = {"content-type": "application/json", **message.headers(_secrets(attempt, dispatcher))}
    began = time.monotonic()
    try:
        answer = await fetcher.fetch(attempt.url, method="POST", headers=headers, content=message.body, limit_bytes=0)
    except FetchFailed as failed:
        return Outcome("pending", None, str(failed), _since(began))
    if 200 <= answer.status < 300:
        return Outcome("delivered", answer.status, None, _since(began))
    return Outcome("pending", answer.status, f"It answers with status {answer.status}.", _since(began))


def _body(attempt: Attempt, data: Mapping[str, Any]) -> bytes:
    shown = {
        "type": attempt.type,
        "timestamp": attempt.occurred_at,
        "sequence": attempt.sequence,
        "data": data,
    }
    return orjson.dumps(shown, option=orjson.OPT_UTC_Z)


def _secrets(attempt: Attempt, dispatcher: Dispatcher) -> list[str]:
    sealed = [attempt.sealed_secret]
    until = attempt.former_secret_until
    if attempt.sealed_former_secret is not None and until is not None and until > clock.now():
        sealed.append(attempt.sealed_former_secret)
    return [dispatcher.opened(each, attempt.endpoint_id) for each in sealed]


def _since(began: float) -> int:
    return round((time.monotonic() - began) * 1000)
