"""What a job may look like, and what its arguments survive."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ValidationError

from freehold.errors import ConfigurationError
from freehold.jobs import Backoff, job
from freehold.jobs.payload import Payload
from freehold.resource.base import new_id
from freehold.store.session import Session


class Colour(StrEnum):
    RED = "red"


class Part(BaseModel):
    name: str
    count: int


async def everything(
    db: Session,
    *,
    identity: UUID,
    moment: datetime,
    day: date,
    money: Decimal,
    raw: bytes,
    pause: timedelta,
    colour: Colour,
    parts: list[Part],
    copy: str | None = None,
) -> None: ...


async def text_only(db: Session, *, text: str) -> None: ...


async def number_only(db: Session, *, number: float) -> None: ...


def test_arguments_come_back_as_they_went_in() -> None:
    payload = Payload.of(everything, job_name="x")
    arguments: dict[str, Any] = {
        "identity": new_id(),
        "moment": datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=UTC),
        "day": date(2026, 1, 2),
        "money": Decimal("12345678901234567890.01"),
        "raw": b"\x00\xff",
        "pause": timedelta(microseconds=1),
        "colour": Colour.RED,
        "parts": [Part(name="a", count=1)],
    }
    assert payload.load(payload.dump(arguments)) == arguments
    assert payload.load(payload.dump(arguments | {"copy": "c"}))["copy"] == "c"


@given(st.text())
def test_any_text_comes_back(text: str) -> None:
    payload = Payload.of(text_only, job_name="x")
    try:
        stored = payload.dump({"text": text})
    except ValidationError:
        assert any("\ud800" <= letter <= "\udfff" for letter in text)  # a lone surrogate is no text
        return
    assert payload.load(stored) == {"text": text}


@pytest.mark.parametrize(
    "arguments", [{}, {"number": "many"}, {"number": 1, "more": 2}, {"number": float("nan")}, {"number": float("inf")}]
)
def test_wrong_arguments_are_refused_when_enqueued(arguments: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Payload.of(number_only, job_name="x").dump(arguments)


async def no_session() -> None: ...


async def keyword_session(*, db: Session) -> None: ...


async def positional(db: Session, text: str) -> None: ...


async def bare(db: Session, *, text) -> None: ...  # type: ignore[no-untyped-def]


async def reserved(db: Session, *, key: str) -> None: ...


async def unknown(db: Session, *, what: Nowhere) -> None: ...  # type: ignore[name-defined]  # noqa: F821


async def not_json(db: Session, *, what: Callable[[], None] | Session) -> None: ...


def not_async(db: Session) -> None: ...


@pytest.mark.parametrize(
    ("function", "fault"),
    [
        (no_session, "first parameter must be the session"),
        (keyword_session, "first parameter must be the session"),
        (positional, "text must be keyword-only"),
        (bare, "text has no annotation"),
        (reserved, "key is a name that enqueue"),
        (unknown, "annotation cannot be read"),
        (not_json, "annotation cannot be read"),
        (not_async, "must be `async def`"),
    ],
)
def test_a_function_that_cannot_be_a_job_is_refused(function: Any, fault: str) -> None:
    with pytest.raises(ConfigurationError, match=fault):
        job("test.job")(function)


@pytest.mark.parametrize(
    ("options", "fault"),
    [
        ({"retries": -1}, "retries"),
        ({"timeout": timedelta(0)}, "timeout"),
        ({"lease": timedelta(hours=1)}, "lease"),
        ({"lease": timedelta(milliseconds=1)}, "lease"),
        ({"name": " "}, "name"),
    ],
)
def test_options_without_sense_are_refused(options: dict[str, Any], fault: str) -> None:
    with pytest.raises(ConfigurationError, match=fault):
        job(**({"name": "test.job"} | options))(text_only)


def test_the_pause_doubles_up_to_its_ceiling() -> None:
    backoff = Backoff(first=timedelta(seconds=10), factor=2, longest=timedelta(minutes=1))
    for failures, seconds in ((1, 10), (2, 20), (3, 40), (4, 60), (10_000, 60)):
        pauses = {backoff.pause(failures).total_seconds() for _ in range(20)}
        assert len(pauses) > 1
        assert all(seconds * 0.8 <= pause <= seconds * 1.2 for pause in pauses)
