"""One request as data: what is asked, by whom, and what must and must not come back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from httpx2 import Response

from freehold.resource.principal import ANONYMOUS, Principal
from freehold.testing.budget import budget
from freehold.testing.stage import Stage


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """A request and its answer::

        Scenario(name="a stranger", request="GET /v1/notes/{note}", caller=STRANGER, status=404, lacks=["secret"])

    request: method and path; names in braces are filled from `run`. caller: nobody unless said. status, code: of the
    answer; code is that of a problem. has, lacks: texts that the body must and must not hold. fields: top-level
    members of a JSON body and their values. statements: the most SQL statements that it may take.
    """

    name: str
    request: str
    caller: Principal = ANONYMOUS
    json: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)
    status: int = 200
    code: str | None = None
    has: Sequence[str] = ()
    lacks: Sequence[str] = ()
    fields: Mapping[str, Any] = field(default_factory=dict)
    statements: int | None = None

    async def run(self, stage: Stage, **names: object) -> Response:
        """Send it and check the answer. Raises AssertionError that shows the body."""
        method, _, path = self.request.format(**names).partition(" ")
        body = {} if self.json is None else {"json": self.json}
        async with stage.client(self.caller, **self.headers) as client:
            with budget(stage.statements, self.statements if self.statements is not None else 1_000_000):
                response = await client.request(method, path, **body)
        faults = list(self._faults(response))
        if faults:
            raise AssertionError(f"{self.name}: {'; '.join(faults)}\n{response.status_code} {response.text[:2000]}")
        return response

    def _faults(self, response: Response) -> Sequence[str]:
        found = []
        if response.status_code != self.status:
            found.append(f"{self.status} expected, {response.status_code} came")
        found += [f"{text!r} is not there" for text in self.has if text not in response.text]
        found += [f"{text!r} is there" for text in self.lacks if text in response.text]
        if self.code is not None or self.fields:
            wanted = {**self.fields, **({} if self.code is None else {"code": self.code})}
            shown = response.json()
            found += [f"{name} is {shown.get(name)!r}" for name, value in wanted.items() if shown.get(name) != value]
        return found
