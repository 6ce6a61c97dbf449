"""`freehold load-file`: a file that Locust can run, made from the declaration."""

from __future__ import annotations

import ast
import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any, Self

import pytest
from tests.cli.conftest import Run

APP = """
from uuid import UUID
from sqlalchemy import MetaData, String
from sqlalchemy.orm import Mapped, mapped_column
from freehold import Access, Freehold, Queries, Resource, anyone, owner, signed_in
from freehold.fields import search_document
from freehold.resource.base import Base as FreeholdBase

class Base(FreeholdBase):
    __abstract__ = True
    metadata = MetaData()

class Plum(Base):
    name: Mapped[str] = mapped_column(String(50), index=True)
    weight: Mapped[int] = mapped_column(index=True)
    kind: Mapped[str] = mapped_column(String(50), index=True)
    search: Mapped[str] = search_document("name")

class Basket(Base):
    owner_id: Mapped[UUID] = mapped_column(index=True)

app = Freehold(
    Resource(
        Plum,
        access=Access(read=anyone, create=signed_in),
        queries=Queries(filters=["weight__gte", "weight__in", "kind"], sort=["weight"], search=["name"]),
    ),
    Resource(Basket, access=Access(read=owner("owner_id"))),
    title="Plums",
)
"""


def resources(text: str) -> list[dict[str, Any]]:
    (found,) = [each for each in ast.parse(text).body if isinstance(each, ast.AnnAssign) and each.value is not None]
    value: list[dict[str, Any]] = ast.literal_eval(found.value)
    return value


def test_what_is_declared_is_what_is_asked(run: Run, project: Path) -> None:
    (project / "plums.py").write_text(APP, encoding="utf-8")
    done = run("load-file", "plums:app", "-o", "load.py")
    assert done.status == 0, done.err
    text = (project / "load.py").read_text(encoding="utf-8")
    compile(text, "load.py", "exec")
    assert "Load for Plums" in text
    plums, baskets = resources(text)
    assert plums == {
        "path": "/v1/plums", "key": "id", "open": True, "weight": 10, "one": True, "filters": ["kind", "weight__gte"], "sorts": ["weight"],
        "search": ["name"], "below": [], "draft": plums["draft"],
    }  # fmt: skip
    assert plums["draft"].keys() == {"name", "weight", "kind"}
    assert (baskets["path"], baskets["open"], baskets["weight"], baskets["draft"]) == ("/v1/baskets", False, 1, None)
    assert run("load-file", "plums:app", "-o", "again.py").status == 0
    assert (project / "again.py").read_text(encoding="utf-8") == text


def test_a_folder_that_is_not_there(run: Run, project: Path) -> None:
    (project / "plums.py").write_text(APP, encoding="utf-8")
    refused = run("load-file", "plums:app", "-o", "nowhere/load.py")
    assert (refused.status, refused.err) == (
        2,
        "freehold: nowhere/load.py cannot be written: No such file or directory\n",
    )


class Answered:
    """An answer as Locust gives it to a block. It counts as failed unless something is said, where the status is an error."""

    def __init__(self, status: int, body: Any) -> None:
        self.status_code, self._body = status, body
        self.text, self.headers = "", {"etag": '"1"'}
        self.failed = status >= 400

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *gone: object) -> None:
        return None

    def json(self) -> Any:
        return self._body

    def success(self) -> None:
        self.failed = False

    def failure(self, said: str) -> None:
        self.failed = True


def test_a_filter_may_have_any_name_and_a_view_may_refuse_a_row_for_its_state(
    run: Run, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (project / "plums.py").write_text(APP, encoding="utf-8")
    assert run("load-file", "plums:app", "-o", "load.py").status == 0
    locust = ModuleType("locust")
    vars(locust).update(FastHttpUser=object, between=lambda *_: None, task=lambda _: lambda function: function)
    monkeypatch.setitem(sys.modules, "locust", locust)
    found: dict[str, Any] = {"__name__": "load"}
    exec(compile((project / "load.py").read_text(encoding="utf-8"), "load.py", "exec"), found)
    row = {"id": "7", "name": "Mirabelle", "weight": 9, "kind": "yellow"}
    answers, asked = list[Answered](), list[dict[str, Any]]()

    def get(path: str, params: Any = None, **_: Any) -> Answered:
        asked.append(params)
        page = {"items": [row], "next_cursor": None}
        answers.append(Answered(409, None) if path.endswith("/7/stone") else Answered(200, page))
        return answers[-1]

    client = found["Client"]()
    client.client = SimpleNamespace(get=get)
    client.on_start()
    for _ in range(60):
        client.filtered()
    assert {"kind": "yellow"} in asked
    assert {"weight__gte": 9} in asked or {"weight__gte": "9"} in asked
    found["RESOURCES"][0]["below"] = ["stone"]
    client.below()
    assert answers[-1].status_code == 409
    assert not any(each.failed for each in answers)
