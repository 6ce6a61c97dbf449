"""V11, V12, F07: the end of a request, by its deadline, by its client, by the end of the process."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from fastapi import FastAPI
from starlette.responses import StreamingResponse
from starlette.types import Message, Receive, Scope, Send

from freehold.cancellation import note_done
from freehold.observe.health import Health
from freehold.observe.metrics import Metrics
from freehold.web.edge import Edge, EdgeOptions
from freehold.web.edge_deadline import Deadlines
from freehold.web.probes import probe_routes
from freehold.web.problems import install_handlers
from tests.waiting import PATIENCE_SECONDS, until

pytestmark = pytest.mark.anyio
# Long enough for the work to be begun by then, on a machine that is busy with others.
SHORT = EdgeOptions(deadline_seconds=0.5)


async def ask(edge: Edge, path: str = "/", method: str = "GET") -> tuple[int, dict[str, str], bytes]:
    sent: list[Message] = []
    first = iter([{"type": "http.request", "body": b"", "more_body": False}])

    async def receive() -> Message:
        for message in first:
            return message
        await asyncio.Event().wait()
        return {"type": "http.disconnect"}

    async def send(message: Message) -> None:
        sent.append(message)

    scope = {
        "type": "http", "method": method, "scheme": "http", "path": path, "raw_path": path.encode(), "query_string": b"",
        "headers": [(b"host", b"localhost")], "client": ("127.0.0.1", 1),
    }  # fmt: skip
    await edge(scope, receive, send)
    head = {name.decode(): value.decode() for name, value in sent[0]["headers"]}
    return sent[0]["status"], head, b"".join(message.get("body", b"") for message in sent)


def _app(work: Callable[[], Awaitable[Any]]) -> FastAPI:
    app = FastAPI(openapi_url=None, docs_url=None, redoc_url=None)
    app.get("/")(work)
    install_handlers(app)
    return app


async def test_V11_past_the_deadline_it_is_503_and_the_handler_was_cancelled_and_awaited() -> None:
    events: list[str] = []

    async def slow() -> None:
        try:
            await asyncio.sleep(30)
        except asyncio.CancelledError:
            events.append("cancelled")
            await asyncio.sleep(0.01)
            events.append("rolled back")
            raise

    status, head, body = await ask(Edge(_app(slow), SHORT))
    assert (status, json.loads(body)["code"]) == (503, "service.deadline_exceeded")
    assert head["retry-after"] == "1"
    assert events == ["cancelled", "rolled back"]


async def test_V11_a_clean_up_that_fails_is_still_the_deadline() -> None:
    async def slow() -> None:
        try:
            await asyncio.sleep(30)
        finally:
            raise ConnectionError("the query was cancelled")

    status, _, body = await ask(Edge(_app(slow), SHORT))
    assert (status, json.loads(body)["code"]) == (503, "service.deadline_exceeded")


@pytest.mark.parametrize(
    ("is_noted", "code"), [(False, "service.deadline_exceeded"), (True, "service.outcome_unknown")]
)
async def test_V11_a_commit_that_was_shielded_is_awaited_and_not_denied(code: str, *, is_noted: bool) -> None:
    done: list[bool] = []

    async def commit() -> None:
        await asyncio.sleep(2 * SHORT.deadline_seconds)
        done.append(True)

    async def work() -> None:
        task = asyncio.ensure_future(commit())
        try:
            await asyncio.shield(task)
        except asyncio.CancelledError as cancelled:
            await task
            if is_noted:
                note_done(cancelled)
            raise

    status, head, body = await ask(Edge(_app(work), SHORT))
    assert (status, json.loads(body)["code"], done) == (503, code, [True])
    assert head["connection"] == "close"


async def test_V11_an_own_timeout_inside_is_not_the_deadline() -> None:
    async def work() -> None:
        raise TimeoutError("a call to another service")

    _, _, body = await ask(Edge(_app(work), SHORT))
    assert json.loads(body)["code"] == "service.unavailable"


async def test_V11_a_stream_that_began_is_not_cut() -> None:
    async def chunks() -> Any:
        for _ in range(10):
            yield b"x"
            await asyncio.sleep(SHORT.deadline_seconds / 5)

    async def stream() -> StreamingResponse:
        return StreamingResponse(chunks())

    status, _, body = await ask(Edge(_app(stream), SHORT))
    assert (status, body) == (200, b"x" * 10)


async def test_V11_head_of_an_endless_stream_ends_by_the_deadline() -> None:
    async def endless(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        while True:
            await send({"type": "http.response.body", "body": b"x", "more_body": True})
            await asyncio.sleep(0.005)

    status, _, body = await asyncio.wait_for(ask(Edge(endless, SHORT), method="HEAD"), timeout=PATIENCE_SECONDS)
    assert (status, body) == (200, b"")


async def test_V11_zero_means_no_deadline() -> None:
    async def work() -> None:
        await asyncio.sleep(0.1)

    assert (await ask(Edge(_app(work), EdgeOptions(deadline_seconds=0))))[0] == 200


async def test_V12_a_client_that_left_does_not_cancel_the_work() -> None:
    done: list[bool] = []

    async def work() -> None:
        await asyncio.sleep(0.05)
        done.append(True)

    async def receive() -> Message:
        return {"type": "http.disconnect"}

    async def send(message: Message) -> None:
        return None

    scope = {
        "type": "http", "method": "GET", "scheme": "http", "path": "/", "raw_path": b"/", "query_string": b"",
        "headers": [(b"host", b"localhost")], "client": None,
    }  # fmt: skip
    await Edge(_app(work))(scope, receive, send)
    assert done == [True]


async def test_F07_a_cancelled_server_task_still_answers_and_counts() -> None:
    has_begun = asyncio.Event()

    async def slow() -> None:
        has_begun.set()
        await asyncio.sleep(30)

    edge = Edge(_app(slow))
    answers: list[Any] = []

    async def request() -> None:
        answers.append(await ask(edge))

    task = asyncio.create_task(request())
    await has_begun.wait()
    assert edge.in_flight == 1
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert edge.in_flight == 0
    assert 'status="503"' in edge.metrics.exposition().decode()


async def test_F07_drained_waits_for_the_requests_in_flight() -> None:
    going = asyncio.Event()

    async def work() -> None:
        await going.wait()

    edge = Edge(_app(work))
    task = asyncio.create_task(ask(edge))
    await until(lambda: edge.in_flight == 1)
    edge.begin_drain()
    assert not await edge.drained(0.03)
    going.set()
    assert await edge.drained(PATIENCE_SECONDS)
    assert (await task)[0] == 200


async def test_E06_F07_probes_say_live_and_ready_without_details() -> None:
    state = {"up": True}

    async def database() -> bool:
        if not state["up"]:
            raise ConnectionError("postgresql://user:password@db:5432 is away")
        return True

    app = FastAPI(openapi_url=None, docs_url=None, redoc_url=None)
    metrics, health = Metrics(), Health()
    health.register("database", database)
    edge = Edge(app, metrics=metrics)
    app.router.routes += probe_routes(health, metrics, is_draining=lambda: edge.draining, show_metrics=True)
    install_handlers(app)

    for path in ("/health/live", "/health/ready", "/health/ready/"):
        status, head, body = await ask(edge, path)
        assert (status, body, head["cache-control"]) == (200, b'{"status":"ok"}', "no-store")
    state["up"] = False
    status, head, body = await ask(edge, "/health/ready")
    assert (status, json.loads(body)["code"], head["retry-after"]) == (503, "service.unavailable", "2")
    assert b"database" not in body
    assert b"password" not in body
    assert (await ask(edge, "/health/live"))[0] == 200
    state["up"] = True
    assert (await ask(edge, "/health/ready"))[0] == 200
    edge.begin_drain()
    assert (await ask(edge, "/health/ready"))[0] == 503
    assert (await ask(edge, "/health/live"))[0] == 200
    status, head, body = await ask(edge, "/metrics")
    assert (status, head["content-type"]) == (200, "text/plain; version=0.0.4; charset=utf-8")
    assert b'route="/health/ready"' in body
    assert not app.openapi()["paths"]


async def test_E06_metrics_are_not_there_unless_shown() -> None:
    app = FastAPI(openapi_url=None, docs_url=None, redoc_url=None)
    app.router.routes += probe_routes(Health(), Metrics(), show_metrics=False)
    install_handlers(app)
    assert (await ask(Edge(app), "/metrics"))[0] == 404


async def test_V11_deadlines_of_one_length_share_a_timer_and_pass_one_by_one() -> None:
    deadlines, ended = Deadlines(0.4), []

    async def work(name: str, *, pause: float, lasts: float) -> None:
        nonlocal ended
        await asyncio.sleep(pause)
        deadline = deadlines.begin()
        try:
            await asyncio.sleep(lasts)
        except asyncio.CancelledError as error:
            ended += [name] if deadline.left(error) else []
        else:
            assert not deadline.left(None)

    lasting = [work("first", pause=0, lasts=30), work("quick", pause=0, lasts=0), work("second", pause=0.2, lasts=30)]
    await asyncio.wait_for(asyncio.gather(*lasting), PATIENCE_SECONDS)
    await asyncio.wait_for(work("after a rest", pause=0, lasts=30), PATIENCE_SECONDS)
    assert ended == ["first", "second", "after a rest"]


async def test_V12_a_cancellation_by_others_is_no_deadline() -> None:
    deadlines, told = Deadlines(30), []

    async def work() -> None:
        deadline = deadlines.begin()
        try:
            await asyncio.sleep(30)
        except asyncio.CancelledError as error:
            told.append(deadline.left(error))
            raise

    task = asyncio.create_task(work())
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert told == [False]
