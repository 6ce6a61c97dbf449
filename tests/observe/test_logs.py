"""E03: what a log line holds, and what it never holds."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import structlog

from freehold.observe import logs
from freehold.observe.context import tracing
from freehold.observe.redaction import HIDDEN, clean, neutral, scrub
from freehold.observe.sink import LogSink

Lines = Callable[[], list[dict[str, Any]]]


@pytest.fixture
def stream() -> Iterator[io.StringIO]:
    yield io.StringIO()
    logs.reset()


def _fail(text: str) -> None:
    raise ValueError(text)


@pytest.fixture
def lines(stream: io.StringIO) -> Lines:
    sink = logs.configure(style="json", stream=stream)

    def read() -> list[dict[str, Any]]:
        sink.flush()
        return [json.loads(line) for line in stream.getvalue().splitlines()]

    return read


def test_E03_a_line_is_one_json_object_with_request_and_trace_id(lines: Lines) -> None:
    with tracing("req-1", "a" * 32):
        logs.get_logger("freehold.test").info("done", count=3)
        logging.getLogger("library").warning("from %s", "stdlib")
    first, second = lines()
    assert (first["event"], first["count"], first["logger"], first["level"]) == ("done", 3, "freehold.test", "info")
    assert (second["event"], second["logger"], second["level"]) == ("from stdlib", "library", "warning")
    assert {line["request_id"] for line in (first, second)} == {"req-1"}
    assert {line["trace_id"] for line in (first, second)} == {"a" * 32}


def test_E03_outside_a_request_there_are_no_ids(lines: Lines) -> None:
    logs.get_logger("freehold.test").info("start")
    assert "request_id" not in lines()[0]


def test_E03_line_feeds_and_terminal_codes_cannot_start_a_line(lines: Lines, stream: io.StringIO) -> None:
    evil = 'x\n{"event":"forged","level":"info"}\r\x1b[2J\x9b31m\u2028y\u202e'
    logs.get_logger("t").info(evil, user=evil, nested={evil: [evil]})
    logging.getLogger("lib").warning(evil)
    found = lines()
    assert [line["event"][:1] for line in found] == ["x", "x"]
    text = stream.getvalue()
    assert not any(sign in text for sign in ("\x1b", "\x9b", "\r", "\u2028", "\u202e"))


def test_E03_console_lines_cannot_be_forged_either(stream: io.StringIO) -> None:
    sink = logs.configure(style="console", stream=stream)
    try:
        _fail("first\n12:00:00.000 info     forged")
    except ValueError as error:
        logs.get_logger("t").error("failed\nforged", exc_info=error, who="a\nb")
    sink.flush()
    first, *rest = stream.getvalue().splitlines()
    assert first.endswith(r"failed\u000aforged who=a\u000ab")
    assert rest
    assert all(line.startswith("  | ") for line in rest)


CANARY = "s3cr3tCanary9x"


@pytest.mark.parametrize(
    "name",
    [
        "password", "new_password", "passwd", "secret", "client_secret", "access_token", "refresh_token", "token",
        "Authorization", "cookie", "Set-Cookie", "set_cookie", "api_key", "apikey", "signing_key", "idempotency_key",
        "key", "code", "recovery_codes", "otp", "totp", "pin", "cvv", "cvc", "card_number", "private_jwk",
        "session_id", "dsn", "nonce", "code_verifier", "credentials",
    ],
)  # fmt: skip
def test_E03_a_field_named_for_a_secret_is_covered_at_any_depth(lines: Lines, stream: io.StringIO, name: str) -> None:
    logs.get_logger("t").info("x", **{name: CANARY}, deep={"list": [{name: CANARY}]}, number={name: 123456})
    lines()
    assert CANARY not in stream.getvalue()
    assert "123456" not in stream.getvalue()


@pytest.mark.parametrize(
    "text",
    [
        f"Authorization: Bearer {CANARY}",
        f"header bearer {CANARY}.{CANARY}",
        f"Basic {CANARY}==",
        f"Set-Cookie: sid={CANARY}; Path=/",
        f"{{'cookie': 'a=b; sid={CANARY}'}}",
        f"GET /x?access_token={CANARY}&a=1",
        f"GET /callback?code={CANARY}&state=1",
        f"postgresql+asyncpg://user:{CANARY}@db/name",
        f'{{"password": "{CANARY}"}}',
        f"password={CANARY}",
        f"refresh_token='{CANARY}'",
        f"eyJhbGciOiJFZDI1NTE5In0.{CANARY}.{CANARY}",
        f"[SQL: INSERT INTO t VALUES (?)]\n[parameters: ('a', '{CANARY}')]",
        f"-----BEGIN PRIVATE KEY-----\n{CANARY}\n-----END PRIVATE KEY-----",
        f"$argon2id$v=19$m=19456,t=2,p=1${CANARY}",
        f"Idempotency-Key: {CANARY}",
    ],
)
def test_E03_secrets_inside_text_are_covered(lines: Lines, stream: io.StringIO, text: str) -> None:
    logs.get_logger("t").info(text, note=text)
    logging.getLogger("lib").error("wrong: %s", text)
    try:
        _fail(text)
    except ValueError:
        logging.getLogger("lib").exception("failed")
        logs.get_logger("t").exception("failed")
    assert len(lines()) == 4
    assert CANARY not in stream.getvalue()


@pytest.mark.parametrize("card", ["4111111111111111", "4111 1111 1111 1111", "5555-5555-5555-4444", "378282246310005"])
def test_E03_card_numbers_are_covered_and_other_numbers_are_not(card: str) -> None:
    assert scrub(f"paid with {card}.") == f"paid with {HIDDEN}."
    assert clean({"note": card, "n": 4111111111111111}) == {"note": HIDDEN, "n": HIDDEN}
    assert scrub("order 4111111111111112 of 2026-11-21") == "order 4111111111111112 of 2026-11-21"


def test_E03_plain_text_stays_as_it_is() -> None:
    text = "user 7 published listing 0192f0c1-aaaa-7bbb-8ccc-0123456789ab, status_code=200, tokens left, keyboard"
    assert neutral(scrub(text)) == text
    assert clean({"status_code": 409, "problem": "request.conflict", "ok": True, "ratio": 0.5, "none": None}) == {
        "status_code": 409,
        "problem": "request.conflict",
        "ok": True,
        "ratio": 0.5,
        "none": None,
    }


def test_E03_large_and_deep_values_are_bounded() -> None:
    deep: Any = "x"
    for _ in range(50):
        deep = [deep]
    assert len(json.dumps(clean({"deep": deep, "many": list(range(10_000)), "long": "y" * 100_000}))) < 20_000
    assert clean(b"\x00\x01") == "<2 bytes>"


def test_E03_cleaning_takes_time_in_proportion_to_the_text() -> None:
    for text in ("a-" * 5_000, "passw" * 2_000, "://" * 3_000, "1 " * 5_000, "code" * 3_000, "[parameters: " * 800):
        assert isinstance(scrub(text), str)


@pytest.mark.parametrize("route", ["/v1/books/{id}", 'a "quoted" one', "ümlaut"])
def test_the_line_of_a_request_is_written_as_any_other(lines: Lines, route: str) -> None:
    with tracing("own-id", "4bf92f3577b34da6a3ce929d0e0e4736"):
        logs.access_line("GET", route, 200, 1.5, client="::1", problem=None)
        logs.access_line("GET", route, 404, 1.5, client="::1", problem="not_found")
    plain, odd = lines()
    assert list(plain) == [name for name in odd if name != "problem"]
    assert plain.pop("milliseconds") == 1500
    told = datetime.fromisoformat(plain.pop("timestamp"))
    assert abs(datetime.now(UTC) - told) < timedelta(minutes=1)
    assert plain == {
        "level": "info", "logger": "freehold.access", "event": "request", "request_id": "own-id",
        "trace_id": "4bf92f3577b34da6a3ce929d0e0e4736", "method": "GET", "route": route, "status": 200, "client": "::1",
    }  # fmt: skip


def test_levels_below_the_threshold_are_not_written(stream: io.StringIO) -> None:
    sink = logs.configure(style="json", level="warning", stream=stream)
    logs.get_logger("t").info("no")
    logs.access_line("GET", "/x", 200, 0.0, client="127.0.0.1", problem=None)
    logs.get_logger("t").warning("yes")
    sink.flush()
    assert [json.loads(line)["event"] for line in stream.getvalue().splitlines()] == ["yes"]


def test_without_configure_the_standard_library_gets_the_lines(caplog: pytest.LogCaptureFixture) -> None:
    logs.access_line("GET", "/x", 200, 0.0, client="127.0.0.1", problem=None)
    logs.get_logger("freehold.t").warning("odd", password=CANARY, count=2)
    assert [(r.name, r.levelname, r.getMessage()) for r in caplog.records] == [
        ("freehold.t", "WARNING", f"odd password={HIDDEN} count=2")
    ]


def test_structlog_itself_writes_the_same_way(lines: Lines) -> None:
    structlog.get_logger().info("theirs", token=CANARY)
    assert (lines()[0]["event"], lines()[0]["token"]) == ("theirs", HIDDEN)


def test_an_unknown_level_is_refused() -> None:
    with pytest.raises(ValueError, match="loud"):
        logs.configure(level="loud")


class _Full(io.StringIO):
    full = True

    def write(self, text: str) -> int:
        if self.full:
            raise OSError(28, "No space left on device")
        return super().write(text)


def test_F05_a_full_log_volume_loses_lines_and_says_how_many() -> None:
    stream = _Full()
    sink = LogSink(stream, limit=10)
    for number in range(25):
        sink.write(f"line {number}")
    sink.flush()
    lost = sink.dropped
    assert lost > 0
    stream.full = False
    sink.write("after")
    sink.close()
    assert "after" in stream.getvalue()
    assert f'"count":{lost}' in stream.getvalue()


def test_the_sink_writes_by_itself() -> None:
    stream = io.StringIO()
    sink = LogSink(stream)
    sink.write("hello")
    sink.close()
    assert stream.getvalue() == "hello\n"


def test_E03_drivers_stay_quiet_at_debug_because_they_log_the_values_of_statements(
    stream: io.StringIO,
) -> None:
    logs.configure(style="json", level="debug", stream=stream)
    for name in ("aiosqlite", "asyncpg"):
        logging.getLogger(name).debug("executing %s", ("UPDATE users SET password_hash = ?", ["$argon2id$secret"]))
    logs._State.sink.flush()
    assert "argon2id" not in stream.getvalue()
