"""Somebody who asks the API: `await ada.post("/v1/books", {...})` says status, body and problem code of the answer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


class Answer:
    """A response, with the parts that tests ask for."""

    def __init__(self, response: Any) -> None:
        self.status: int = response.status_code
        self.headers: Mapping[str, str] = response.headers
        self.text: str = response.text
        self.json: Any = response.json() if response.content and "json" in response.headers["content-type"] else None

    @property
    def code(self) -> str:
        """The code of a problem."""
        assert self.headers["content-type"].startswith("application/problem+json"), self.text
        code: str = self.json["code"]
        return code

    @property
    def pointers(self) -> list[str]:
        """Where the input was wrong."""
        return [fault.get("pointer", fault.get("parameter")) for fault in self.json["errors"]]


class Person:
    """Somebody with a client. id: empty for nobody."""

    def __init__(self, client: Any, *, id: str = "", email: str = "") -> None:  # noqa: A002
        self.client = client
        self.id = id
        self.email = email

    async def call(self, method: str, path: str, json: Any = None, **headers: str) -> Answer:
        """One request. Header names are given with underscores."""
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        body = {} if json is None else {"json": json}
        return Answer(await self.client.request(method, path, headers=sent, **body))

    async def get(self, path: str, **headers: str) -> Answer:
        """GET."""
        return await self.call("GET", path, **headers)

    async def post(self, path: str, json: Any = None, **headers: str) -> Answer:
        """POST."""
        return await self.call("POST", path, json, **headers)

    async def patch(self, path: str, json: Any, **headers: str) -> Answer:
        """PATCH."""
        return await self.call("PATCH", path, json, **headers)

    async def put(self, path: str, json: Any = None, **headers: str) -> Answer:
        """PUT."""
        return await self.call("PUT", path, json, **headers)

    async def delete(self, path: str, **headers: str) -> Answer:
        """DELETE."""
        return await self.call("DELETE", path, **headers)

    async def made(self, path: str, json: Any = None, **headers: str) -> dict[str, Any]:
        """POST what has to succeed; the body."""
        answer = await self.post(path, json, **headers)
        assert answer.status in (200, 201), answer.text
        body: dict[str, Any] = answer.json
        return body
