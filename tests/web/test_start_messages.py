"""What the start says of a declaration that is wrong, or that cannot be what was meant."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any
from uuid import UUID

import pytest
import uvicorn
from pydantic import BaseModel, Field
from sqlalchemy import ForeignKey, MetaData, Numeric
from sqlalchemy.orm import Mapped, mapped_column, relationship
from uvicorn.lifespan.on import LifespanOn

from freehold import Access, Freehold, Queries, Resource, Schemas, anyone
from freehold.errors import ConfigurationError
from freehold.observe import logs
from freehold.resource.base import NAMING
from freehold.resource.base import Base as FreeholdBase
from freehold.settings import Settings

pytestmark = pytest.mark.anyio


class Base(FreeholdBase):
    __abstract__ = True
    metadata = MetaData(naming_convention=NAMING)


class StartShelf(Base):
    name: Mapped[str]
    things: Mapped[list[StartThing]] = relationship(back_populates="shelf")


class StartRate(Base):
    id: Mapped[Decimal] = mapped_column(Numeric(10, 2), primary_key=True)
    name: Mapped[str]


class StartThing(Base):
    shelf_id: Mapped[UUID] = mapped_column(ForeignKey("start_shelfs.id"), index=True)
    shelf: Mapped[StartShelf] = relationship(back_populates="things")


def app(folder: Path, *resources: Resource) -> Freehold:
    settings = Settings(env="test", var_dir=folder, database_url=f"sqlite+aiosqlite:///{folder}/t.db", secret="x" * 40)
    return Freehold(*resources, settings=settings)


def declared(*, queries: Any = None) -> tuple[Resource, Resource]:
    shelves = Resource(StartShelf, access=Access(read=anyone), queries=queries or Queries())
    things = Resource(StartThing, access=Access(read=anyone))
    shelves.nested("things", things, by="shelf_id")
    return shelves, things


@pytest.mark.parametrize("queries", [Queries(), Queries(expand=["things"])])
async def test_a_nested_resource_that_was_not_passed_is_named_with_the_remedy(tmp_path: Path, queries: Queries) -> None:
    shelves, _ = declared(queries=queries)
    with pytest.raises(ConfigurationError, match=r"nested\('things'\) names .*: pass it to Freehold\(\.\.\.\) beside"):
        app(tmp_path, shelves)


async def test_a_nested_collection_may_be_for_reading_alone(tmp_path: Path) -> None:
    shelves = Resource(StartShelf, access=Access(read=anyone))
    things = Resource(StartThing, access=Access(read=anyone, create=anyone))
    shelves.nested("things", things, by="shelf_id", writable=False)
    nested = [each for each in app(tmp_path, shelves, things).mounted.operations if each.path.endswith("/{id}/things")]
    assert [(each.kind, each.method) for each in nested] == [("list", "GET")]


async def test_what_is_expanded_needs_a_resource_and_the_message_says_where(tmp_path: Path) -> None:
    alone = Resource(StartShelf, access=Access(read=anyone), queries=Queries(expand=["things"]))
    with pytest.raises(ConfigurationError, match=r"StartThing has no Resource .* pass one to Freehold"):
        app(tmp_path, alone)


async def test_Z01_a_resource_without_any_rule_is_said_once_at_the_start(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shelves, things = declared()
    service = app(tmp_path, shelves, things, Resource(_forgotten()))
    async with service.router.lifespan_context(service):
        logs._State.sink.flush()
    said = [line for line in capsys.readouterr().err.splitlines() if "resource_without_access" in line]
    assert len(said) == 1
    assert "resource=start-forgottens" in said[0]
    assert "Resource(StartForgotten, access=Access(read=anyone, write=signed_in))" in said[0]
    assert "/v1/start-forgottens" not in service.openapi()["paths"]


def _forgotten() -> type[Base]:
    class StartForgotten(Base):
        name: Mapped[str]

    return StartForgotten


async def test_F14_a_refused_start_is_told_by_its_message_and_not_by_a_traceback(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async def refuse(_: Any) -> Any:
        raise ConfigurationError("the oven is cold: light it")

    @asynccontextmanager
    async def lifespan(_: Freehold) -> AsyncIterator[None]:
        await refuse(_)
        yield

    settings = Settings(
        env="test", var_dir=tmp_path, database_url=f"sqlite+aiosqlite:///{tmp_path}/t.db", secret="x" * 40
    )
    lifecycle = LifespanOn(
        uvicorn.Config(Freehold(settings=settings, lifespan=lifespan), lifespan="on", log_config=None)
    )
    lifecycle.logger = logging.getLogger("told")
    with caplog.at_level("INFO", logger="told"):
        await lifecycle.startup()
    assert lifecycle.should_exit
    said = [(record.getMessage(), record.exc_info) for record in caplog.records if record.name == "told"]
    assert said == [
        ("Waiting for application startup.", None),
        ("freehold: the oven is cold: light it", None),
        ("Application startup failed. Exiting.", None),
    ]


class RateDraft(BaseModel):
    id: Decimal
    name: str


class FineRateDraft(RateDraft):
    id: Annotated[Decimal, Field(decimal_places=3)]


class RoundRateDraft(RateDraft):
    id: Annotated[Decimal, Field(decimal_places=2)]


@pytest.mark.parametrize("draft", [RateDraft, FineRateDraft])
def test_a_key_that_the_database_would_round(draft: type[BaseModel], tmp_path: Path) -> None:
    """PostgreSQL made 1.01 of 1.005, and the client was told 201 with an address where nothing is."""
    rates = Resource(StartRate, schemas=Schemas(create=draft), access=Access(read=anyone, create=anyone))
    with pytest.raises(
        ConfigurationError, match=rf"rates: {draft.__name__}\.id takes more decimal places .*decimal_places=2"
    ):
        app(tmp_path, rates)


def test_a_key_that_it_keeps(tmp_path: Path) -> None:
    access = Access(read=anyone, create=anyone)
    app(tmp_path, Resource(StartRate, schemas=Schemas(create=RoundRateDraft), access=access))
