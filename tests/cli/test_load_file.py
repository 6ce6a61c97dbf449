"""`freehold load-file`: a file that Locust can run, made from the declaration."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import Any

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
    search: Mapped[str] = search_document("name")

class Basket(Base):
    owner_id: Mapped[UUID] = mapped_column(index=True)

app = Freehold(
    Resource(
        Plum,
        access=Access(read=anyone, create=signed_in),
        queries=Queries(filters=["weight__gte", "weight__in"], sort=["weight"], search=["name"]),
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
        "path": "/v1/plums", "key": "id", "open": True, "weight": 10, "one": True, "filters": ["weight__gte"], "sorts": ["weight"],
        "search": ["name"], "below": [], "draft": plums["draft"],
    }  # fmt: skip
    assert plums["draft"].keys() == {"name", "weight"}
    assert (baskets["path"], baskets["open"], baskets["weight"], baskets["draft"]) == ("/v1/baskets", False, 1, None)
    assert run("load-file", "plums:app", "-o", "again.py").status == 0
    assert (project / "again.py").read_text(encoding="utf-8") == text
