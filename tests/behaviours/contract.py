"""What the OpenAPI document promises, held against answers that were really sent."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import httpx2
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]

# On every answer, whatever the operation: said once for all, not for each response.
EVERYWHERE = frozenset(
    {
        "cache-control", "connection", "content-length", "content-security-policy", "content-type", "date", "pragma",
        "referrer-policy", "vary", "x-content-type-options", "x-request-id",
    }
)  # fmt: skip
# Before anyone looks whether there is such an operation.
OF_THE_EDGE = frozenset({400, 405, 413, 414, 415, 431})


class Recorder(httpx2.AsyncBaseTransport):
    """A transport that keeps every answer."""

    def __init__(self, inner: Any) -> None:
        self._inner = inner
        self.kept: list[tuple[str, str, httpx2.Response]] = []

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        answer: httpx2.Response = await self._inner.handle_async_request(request)
        await answer.aread()
        self.kept.append((request.method, request.url.path, answer))
        return answer


class Document:
    """An OpenAPI document as a judge of answers."""

    def __init__(self, document: dict[str, Any]) -> None:
        self.document = json.loads(json.dumps(document))
        # A fixed segment wins over a parameter, as it does in the router.
        paths = sorted(self.document["paths"], key=lambda path: path.count("{"))
        self._paths = [
            (re.compile(re.sub(r"\{[^}]+\}", "[^/]+", path).replace(".", r"\.") + "/?"), path) for path in paths
        ]

    def operations(self) -> Iterator[tuple[str, str, dict[str, Any]]]:
        for path, item in self.document["paths"].items():
            for method, operation in item.items():
                yield method.upper(), path, operation

    def faults(self, method: str, path: str, answer: httpx2.Response) -> Iterator[str]:
        """What is wrong with an answer; nothing where no operation is described, which other tests look at."""
        template = next((known for pattern, known in self._paths if pattern.fullmatch(path)), None)
        item = self.document["paths"].get(template, {})
        operation = item.get("get" if method == "HEAD" else method.lower())
        if operation is None:
            if template is not None and method != "OPTIONS" and answer.status_code not in OF_THE_EDGE:
                yield f"{method} {path}: {answer.status_code}, and no such operation is described"
            return
        place = f"{operation['operationId']} {answer.status_code}"
        described = operation["responses"].get(str(answer.status_code))
        if described is None:
            yield f"{place}: the status is not described"
            return
        named = {name.lower() for name in described.get("headers", {})}
        for name in sorted(set(map(str.lower, answer.headers)) - EVERYWHERE - named):
            yield f"{place}: the header {name} is not described"
        yield from self._content_faults(place, method, described.get("content", {}), answer)

    def _content_faults(self, place: str, method: str, content: Any, answer: httpx2.Response) -> Iterator[str]:
        if method == "HEAD" or not answer.content:
            return
        media = answer.headers["content-type"].partition(";")[0]
        if media not in content:
            yield f"{place}: {media} is not described"
            return
        schema = {**content[media].get("schema", {}), "components": self.document["components"]}
        for error in Draft202012Validator(schema).iter_errors(answer.json()):
            yield f"{place}: {error.json_path}: {error.message[:120]}"
