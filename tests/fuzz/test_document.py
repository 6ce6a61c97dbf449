"""Requests generated from the OpenAPI document: no 5xx, and no answer that the document does not describe.

A light form runs with the suite; `make fuzz` sets FREEHOLD_TEST_FUZZ_CASES.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import AsyncExitStack
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

import pytest
import requests
from anyio.from_thread import BlockingPortal, start_blocking_portal
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from hypothesis.errors import Unsatisfiable
from tests.fuzz.specimen import Specimen, build

from freehold.testing import Stage, running
from freehold.testing.callers import principal_for
from freehold.testing.wire import Answer, ask

CASES = int(os.environ.get("FREEHOLD_TEST_FUZZ_CASES", "50"))


class Service:
    """The service on an event loop of its own, since Hypothesis calls from outside one."""

    def __init__(self, portal: BlockingPortal, stage: Stage, key: str, owner: dict[str, str]) -> None:
        self.stage = stage
        self.key = key
        self._portal = portal
        self._owner = owner

    def send(self, request: requests.PreparedRequest) -> Answer:
        """Send a request that Schemathesis prepared; its effects are undone."""
        return self._portal.call(self._send, request)

    async def _send(self, request: requests.PreparedRequest) -> Answer:
        url = urlsplit(request.url or "")
        headers = {name: text for name, text in request.headers.items() if _is_latin(text)}
        body = request.body.encode() if isinstance(request.body, str) else request.body
        headers.pop("Content-Length", None)
        if "Authorization" in headers:  # where the document asks for one; left out on purpose, it stays so
            headers |= self._owner
        async with self.stage.aside():
            return await ask(
                self.stage.app, request.method or "GET", unquote(url.path),
                query=parse_qsl(url.query, keep_blank_values=True), headers=headers, body=body,
            )  # fmt: skip


def _is_latin(text: Any) -> bool:
    try:
        str(text).encode("latin-1")
    except UnicodeEncodeError:
        return False
    return True


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    with start_blocking_portal() as portal:
        stack = AsyncExitStack()

        async def begin() -> Service:
            stage = await stack.enter_async_context(running(build(tmp_path_factory.mktemp("fuzz"))))
            principal = principal_for()
            row = await stage.make(Specimen, owner_id=principal.id)
            return Service(portal, stage, str(row.id), stage.admit(principal))

        with portal.wrap_async_context_manager(_Entered(stack, begin)) as found:
            yield found


class _Entered:
    def __init__(self, stack: AsyncExitStack, begin: Any) -> None:
        self._stack, self._begin = stack, begin

    async def __aenter__(self) -> Service:
        await self._stack.__aenter__()
        found: Service = await self._begin()
        return found

    async def __aexit__(self, *gone: object) -> None:
        await self._stack.__aexit__(*gone)


@pytest.mark.long
@pytest.mark.timeout(1200)
@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::UserWarning")
def test_V10_generated_requests_are_answered_as_the_document_says(service: Service) -> None:
    # Loading it takes a second, in each process that collects the suite.
    from tests.fuzz.judging import FailureGroup, GenerationMode, judge, operations_of

    operations = operations_of(service.stage.app.openapi())
    assert len(operations) > 10
    each = max(2, CASES // len(operations) // 2)
    sent, faults = 0, list[str]()
    for operation in operations:
        for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE):

            @seed(20260105)
            @settings(
                max_examples=each, database=None, deadline=timedelta(seconds=10), phases=(Phase.generate,),
                suppress_health_check=list(HealthCheck),
            )  # fmt: skip
            @given(case=operation.as_strategy(generation_mode=mode), known=st.booleans())
            def attempt(case: Any, known: bool) -> None:
                nonlocal sent
                if known and "id" in (case.path_parameters or {}):
                    case.path_parameters["id"] = service.key
                prepared = requests.Request(**case.as_transport_kwargs(base_url="http://testserver")).prepare()
                judge(case, prepared, service.send(prepared))
                sent += 1

            try:
                attempt()
            except Unsatisfiable:
                assert mode is GenerationMode.NEGATIVE, operation.label  # nothing in it could be wrong
            except (FailureGroup, AssertionError) as fault:
                faults.append(f"{operation.label}: {fault}")
    assert not faults, "\n\n".join(faults)
    assert sent >= CASES // 2
