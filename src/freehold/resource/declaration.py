"""`Resource`: what a resource is, who may do what with it, what must always hold, and how it is asked for."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pydantic import BaseModel
from sqlalchemy import ColumnElement
from sqlalchemy.orm import DeclarativeBase

from freehold.resource.access import Access, Rule, nobody
from freehold.resource.invariants import Invariant
from freehold.resource.signatures import body_model


@dataclass(frozen=True, slots=True)
class Schemas:
    """Pydantic schemas of a resource; what is not given is derived from the model."""

    read: type[BaseModel] | None = None
    create: type[BaseModel] | None = None
    update: type[BaseModel] | None = None


@dataclass(frozen=True, slots=True)
class Filter:
    """A filter of one's own. params: query parameter -> type. clause: gets the values given (absent ones are None),
    only when at least one was given, and returns the SQL condition or raises `Invalid`.
    """

    params: Mapping[str, Any]
    clause: Callable[[Mapping[str, Any]], ColumnElement[bool]]
    description: str = ""


@dataclass(frozen=True, slots=True)
class Geo:
    """`near=lat,lng&within_km=` and `bbox=west,south,east,north` over two columns in degrees (WGS 84)."""

    latitude: str = "latitude"
    longitude: str = "longitude"


@dataclass(frozen=True, slots=True)
class Queries:
    """What a list may be asked for.

    filters: `"status"` (equals) or `"price__gte"`; operations `ne lt lte gt gte in contains isnull`; or a `Filter`.
    sort: columns, each indexed; the first is the default, `"-created_at"` is descending. Text sorts by a folded key.
    search: text columns behind `q=`; the model needs a `search_document` column over them.
    expand: relationships that `?expand=` may pull in. facets: columns that `?facets=` counts.
    """

    filters: Sequence[str | Filter] | None = None
    sort: Sequence[str] | None = None
    search: Sequence[str] = ()
    geo: Geo | None = None
    expand: Sequence[str] = ()
    facets: Sequence[str] = ()
    page_size: int = 20
    max_page_size: int = 100


@dataclass(frozen=True, slots=True)
class Action:
    """A state change as a noun sub-resource: `POST /v1/reservations/{id}/cancellation`."""

    name: str
    function: Callable[..., Any]
    access: Rule
    method: str = "POST"
    status: int = 200
    body: type[BaseModel] | None = None
    summary: str | None = None
    problems: Sequence[type[Exception]] = ()


@dataclass(frozen=True, slots=True)
class View:
    """A read below one row: `GET /v1/properties/{id}/availability`. The row is judged by the read rule first."""

    name: str
    function: Callable[..., Any]
    returns: Any
    access: Rule | None = None
    params: type[BaseModel] | None = None
    summary: str | None = None


@dataclass(frozen=True, slots=True)
class Nested:
    """A collection below one row: `GET` and `POST /v1/authors/{id}/books`, the parent set from the path."""

    name: str
    child: Resource
    by: str


@dataclass(slots=True, eq=False)
class Resource:
    """Declare a resource.

    model: a SQLAlchemy class with one primary key column. name: the path segment, by default the table's name in
    kebab-case. create, update, delete: domain functions `(db, actor, draft)`, `(db, actor, row, changes)` and
    `(db, actor, row)`; without them the row is written as sent. `changes` is the update schema; what was sent is its
    `model_fields_set`. An operation without a rule is not mounted.
    owner: the column that the server sets to the caller's id on creation, by default the first `owner()` of the
    create, update or read rule that is a plain column. require_if_match: PATCH and DELETE without If-Match are 428.
    require_key: POST without Idempotency-Key is 400. public_facts: what invariants of this resource tell everyone
    (taken dates, a taken slug); the non-interference proof allows these and nothing else.
    """

    model: type[DeclarativeBase]
    name: str = ""
    schemas: Schemas = field(default_factory=Schemas)
    create: Callable[..., Any] | None = None
    update: Callable[..., Any] | None = None
    delete: Callable[..., Any] | None = None
    access: Access = field(default_factory=Access)
    queries: Queries = field(default_factory=Queries)
    invariants: Sequence[Invariant] = ()
    owner: str | None = None
    require_if_match: bool = False
    require_key: bool = False
    public_facts: Sequence[str] = ()
    problems: Sequence[type[Exception]] = ()
    tag: str = ""
    actions: list[Action] = field(default_factory=list, init=False)
    views: list[View] = field(default_factory=list, init=False)
    children: list[Nested] = field(default_factory=list, init=False)

    def __post_init__(self) -> None:
        self.name = self.name or self.model.__tablename__.replace("_", "-")
        self.tag = self.tag or self.name

    @property
    def table_name(self) -> str:
        """The protected table."""
        return str(self.model.__tablename__)

    def action(
        self,
        name: str,
        function: Callable[..., Any],
        *,
        access: Rule = nobody,
        method: str = "POST",
        status: int = 200,
        summary: str | None = None,
        problems: Sequence[type[Exception]] = (),
    ) -> Resource:
        """Add a state change. function: `(db, actor, row)` or `(db, actor, row, body)`, body a Pydantic model.

        While it runs, `access` stands in for the update rule on this table, in this request alone. Answers `status`
        and the resource (204: nothing).
        """
        self.actions.append(
            Action(name, function, access, method, status, body_model(function, after=3), summary, problems)
        )
        return self

    def view(
        self,
        name: str,
        function: Callable[..., Any],
        *,
        returns: Any,
        access: Rule | None = None,
        params: type[BaseModel] | None = None,
        summary: str | None = None,
    ) -> Resource:
        """Add a read below one row. function: `(db, actor, row)` or `(db, actor, row, params)`; it cannot write."""
        self.views.append(View(name, function, returns, access, params, summary))
        return self

    def nested(self, name: str, child: Resource, *, by: str) -> Resource:
        """Add a collection below one row. by: the child's foreign key column."""
        self.children.append(Nested(name, child, by))
        return self
