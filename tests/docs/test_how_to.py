"""The how-to pages and the first of the tutorial: each program on them runs, and answers as the page says."""

from __future__ import annotations

import json
import re
import sys
from contextlib import AsyncExitStack
from pathlib import Path
from types import ModuleType
from typing import Any
from uuid import UUID

import httpx2
import pytest
from sqlalchemy import MetaData

import freehold
from freehold import Freehold
from freehold.cli.entry import app as command_line
from freehold.resource.base import NAMING
from freehold.resource.base import Base as FreeholdBase

pytestmark = pytest.mark.anyio

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
PAGES = sorted([*(DOCS / "how-to").glob("*.md"), *(DOCS / "tutorial").glob("*.md")])
PASSWORD = "lantern quarry velvet 42"
LINE = re.compile(
    r"(?P<method>[A-Z]+) (?P<path>\S+)(?: (?P<body>{.*?}))?(?: as (?P<who>\w+)(?:\((?P<role>\w+)\))?| with (?P<credential>\w+ \w+))?"
    r" -> (?P<status>\d{3})(?: (?P<told>.+))?"
)


def blocks(page: Path, kind: str) -> list[str]:
    return re.findall(rf"^```{kind}\n(.*?)^```", page.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)


PROGRAMS = [page for page in PAGES if blocks(page, "requests")]


@pytest.fixture
def program(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Freehold:
    """The application of a page, with tables of its own."""

    class Base(FreeholdBase):
        __abstract__ = True
        metadata = MetaData(naming_convention=NAMING)

    page: Path = request.param
    for name, value in {"ENV": "test", "VAR_DIR": str(tmp_path), "LIMITS": "off", "LOG_LEVEL": "error"}.items():
        monkeypatch.setenv(f"FREEHOLD_{name}", value)
    monkeypatch.setattr(freehold, "Base", Base)
    module = ModuleType(f"how_to_{page.stem.replace('-', '_')}")
    monkeypatch.setitem(sys.modules, module.__name__, module)
    (code,) = blocks(page, "python")
    exec(compile(code, str(page), "exec"), module.__dict__)  # the page is ours
    found: Freehold = module.app
    return found


class People:
    """Those whom the lines of a page name, registered as they come up."""

    def __init__(self, app: Freehold, client: httpx2.AsyncClient) -> None:
        self.app, self.client = app, client
        self.headers: dict[str, dict[str, str]] = {}

    async def header(self, name: str, role: str | None) -> dict[str, str]:
        if name not in self.headers:
            email = f"{name}@example.com"
            made = await self.client.post(
                "/v1/users", json={"email": email, "password": PASSWORD, "full_name": name.title()}
            )
            if role is not None:
                identity = self.app.identity
                assert identity is not None
                async with self.app.database.writing(freehold.system("test")) as unit:
                    await identity.parts.accounts.set_roles(unit.session, UUID(made.json()["id"]), [role])
            form = {"grant_type": "password", "username": email, "password": PASSWORD}
            token = (await self.client.post("/v1/auth/token", data=form)).json()["access_token"]
            self.headers[name] = {"Authorization": f"Bearer {token}"}
        return self.headers[name]


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda page: page.stem, indirect=True)
@pytest.mark.long
async def test_the_program_of_a_page_answers_as_the_page_says(
    program: Freehold, request: pytest.FixtureRequest
) -> None:
    page = next(page for page in PROGRAMS if page.stem in request.node.callspec.id)
    known = {"location": "", "id": ""}
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(program.router.lifespan_context(program))
        transport = httpx2.ASGITransport(app=program, raise_app_exceptions=False)
        client = await stack.enter_async_context(httpx2.AsyncClient(transport=transport, base_url="http://localhost"))
        people = People(program, client)
        for line in blocks(page, "requests")[0].splitlines():
            found = LINE.fullmatch(line)
            assert found is not None, f"not understood: {line}"
            headers = {} if found["who"] is None else await people.header(found["who"], found["role"])
            if found["credential"]:
                headers = {"Authorization": found["credential"]}
            path = found["path"].replace("{location}", known["location"])
            body = found["body"] and json.loads(found["body"].replace("{id}", known["id"]))
            answer = await client.request(found["method"], path, json=body, headers=headers)
            assert answer.status_code == int(found["status"]), f"{line}\n{answer.text}"
            if "location" in answer.headers:
                known = {"location": answer.headers["location"], "id": answer.json()["id"]}
            if found["told"]:
                _holds(answer.json(), json.loads(found["told"]), line)


def _holds(answer: Any, told: Any, line: str) -> None:
    if not isinstance(told, dict):
        assert answer == told, line
        return
    for name, value in told.items():
        given = len(answer[name]) if name == "items" else answer[name]
        assert given == value, f"{line}\n{answer}"


def test_the_page_on_adoption_shows_what_the_example_does() -> None:
    shown = blocks(DOCS / "how-to" / "adopt.md", "python")[0]
    assert shown in (ROOT / "examples" / "adopt" / "after.py").read_text(encoding="utf-8")


def test_every_page_is_in_the_index_and_every_link_leads_somewhere() -> None:
    index = (DOCS / "README.md").read_text(encoding="utf-8")
    assert all(f"how-to/{page.name}" in index for page in PAGES if page.parent.name == "how-to")
    for page in [DOCS / "README.md", *PAGES]:
        for link in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text(encoding="utf-8")):
            assert (page.parent / link).exists(), f"{page.name}: {link}"


def test_every_command_that_a_page_names_is_there() -> None:
    commands: set[tuple[str, ...]] = {(each.name or "",) for each in command_line.registered_commands}
    for group in command_line.registered_groups:
        commands.add((group.name or "",))
        inside = group.typer_instance.registered_commands if group.typer_instance else []
        commands |= {(group.name or "", each.name or each.callback.__name__) for each in inside if each.callback}
    groups = {group.name for group in command_line.registered_groups}
    for page in PAGES:
        for said in re.findall(r"`freehold ([^`]+)`|^(?:\$ )?freehold (.+)$", page.read_text("utf-8"), re.MULTILINE):
            words = "".join(said).split()
            named = tuple(words[:2]) if words[0] in groups and len(words) > 1 else (words[0],)
            assert named in commands, f"{page.name}: freehold {' '.join(words)}"
