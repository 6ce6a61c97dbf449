"""`Resource`: what a resource is, who may do what with it, what must always hold, and how it is asked for."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from pydantic import BaseModel
from sqlalchemy import ColumnElement
from sqlalchemy.orm import DeclarativeBase

from freehold.errors import ConfigurationError
from freehold.resource.access import Access, Rule, nobody
from freehold.resource.caching import Cache
from freehold.resource.importing import Importing
from freehold.resource.invariants import Invariant
from freehold.resource.quotas import Limits
from freehold.resource.record import Record
from freehold.resource.signatures import body_model
from freehold.resource.soft_delete import Restoration, without_deleted


@dataclass(frozen=True, slots=True)
class Schemas:
    """Pydantic schemas of a resource; what is not given is derived from the model.

    created: the answer of a POST where it shows, once, what no read does: attributes of the row beside those of `read`.
    """

    read: type[BaseModel] | None = None
    create: type[BaseModel] | None = None
    update: type[BaseModel] | None = None
    created: type[BaseModel] | None = None


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
class Ranges:
    """A facet over a number or a day, in half-open ranges: below the first edge, between two, from the last one on.

    edges: values of the column, ascending, at most 50.
    """

    name: str
    edges: Sequence[Any]


@dataclass(frozen=True, slots=True)
class Queries:
    """What a list may be asked for.

    filters: `"status"` (equals) or `"price__gte"`; operations `ne lt lte gt gte in contains isnull`; or a `Filter`.
    sort: columns, each indexed; the first is the default, `"-created_at"` is descending. Text sorts by a folded key.
    search: text columns behind `q=`, the one that tells most first; the model needs a `search_document` over them.
    expand: relationships that `?expand=` may pull in. facets: columns whose values `?facets=` counts, or `Ranges`.
    """

    filters: Sequence[str | Filter] | None = None
    sort: Sequence[str] | None = None
    search: Sequence[str] = ()
    geo: Geo | None = None
    expand: Sequence[str] = ()
    facets: Sequence[str | Ranges] = ()
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
    returns: Any = None


@dataclass(frozen=True, slots=True)
class View:
    """A read below one row: `GET /v1/properties/{id}/availability`. The row is judged by the read rule first."""

    name: str
    function: Callable[..., Any]
    returns: Any
    access: Rule | None = None
    params: type[BaseModel] | None = None
    summary: str | None = None
    cache: Cache | None = None


@dataclass(frozen=True, slots=True)
class Overview(View):
    """A read over the collection: `GET /v1/books/popular`. What it reads is narrowed to what the caller may read."""


@dataclass(frozen=True, slots=True)
class Nested:
    """A collection below one row: `GET` and `POST /v1/authors/{id}/books`, the parent set from the path.

    writable: False for one that is read there, and added to elsewhere or by nobody.
    """

    name: str
    child: Resource
    by: str
    writable: bool = True


@dataclass(frozen=True, slots=True)
class History:
    """Who changed what, and when: `GET /v1/properties/{id}/history`. fields: None for all that the read schema shows.

    actors: who may know whose id stands behind a change; everybody knows their own.
    """

    access: Rule
    actors: Rule = nobody
    fields: Sequence[str] | None = None


@dataclass(slots=True, eq=False)
class Resource:
    """Declare a resource.

    model: a SQLAlchemy class with one primary key column. name: the path segment, by default the table's name in
    kebab-case. create, update, delete: domain functions `(db, actor, draft)`, `(db, actor, row, changes)` and
    `(db, actor, row)`; without them the row is written as sent. `changes` is the update schema; what was sent is its
    `model_fields_set`. An operation without a rule is not mounted.
    owner: the column that the server sets to the caller's id on creation, by default the first `owner()` of the
    create, update or read rule that is a plain column. require_if_match: PATCH and DELETE without If-Match are 428.
    require_key: POST without Idempotency-Key is 400. turnstile: `(db, key)`, called before a row is locked for a change,
    to take a lock that has to come first. prepare: `(database, actor, draft)`, called with what a POST or PATCH has sent
    before its transaction begins: for what has to ask the outside first. public_facts: what invariants of this resource tell everyone
    (taken dates, a taken slug); the non-interference proof allows these and nothing else.
    soft_delete: a column that DELETE sets instead of removing the row; no caller sees such a row from then on, nor what
    hangs on it through this resource, until `restoration` brings it back. System scope sees it. purge_after: how long
    after that the row is removed for good, by a job. untracked: columns whose values no record of a change keeps.
    limits: quotas of its operations; without them those of the service. cache: keeps the answers of the list, also where
    it is nested, and of the single row.
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
    turnstile: Callable[..., Any] | None = None
    prepare: Callable[..., Awaitable[None]] | None = None
    soft_delete: str | None = None
    purge_after: timedelta | None = None
    untracked: Sequence[str] = ()
    limits: Limits = field(default_factory=Limits)
    cache: Cache | None = None
    restored_by: Restoration | None = field(default=None, init=False)
    told_by: History | None = field(default=None, init=False)
    batch_size: int = field(default=0, init=False)
    exported_to: Rule | None = field(default=None, init=False)
    imported_by: Importing = field(default_factory=Importing, init=False)
    actions: list[Action] = field(default_factory=list, init=False)
    views: list[View] = field(default_factory=list, init=False)
    overviews: list[Overview] = field(default_factory=list, init=False)
    children: list[Nested] = field(default_factory=list, init=False)
    readers: list[Callable[[Any], None]] = field(default_factory=list, init=False)

    def __post_init__(self) -> None:
        self.name = self.name or self.model.__tablename__.replace("_", "-")
        self.tag = self.tag or self.name
        if self.soft_delete is not None:
            self.access = without_deleted(self.model, self.soft_delete, self.access)
        elif self.purge_after is not None:
            raise ConfigurationError(f"{self.name}: purge_after needs soft_delete, the column that says since when")

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
        returns: Any = None,
    ) -> Resource:
        """Add a state change. function: `(db, actor, row)` or `(db, actor, row, body)`, body a Pydantic model.

        While it runs, `access` stands in for the update rule on this table, in this request alone. Answers `status`
        and the resource (204: nothing). returns: a type, for a part of the row that is put and got by itself
        (`PUT /v1/properties/{id}/booking-terms`): the answer is then what the function returns.
        """
        body = body_model(function, after=3)
        self.actions.append(Action(name, function, access, method, status, body, summary, problems, returns))
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
        cache: Cache | None = None,
    ) -> Resource:
        """Add a read below one row. function: `(db, actor, row)` or `(db, actor, row, params)`; it cannot write."""
        self.views.append(View(name, function, returns, access, params, summary, cache))
        return self

    def overview(
        self,
        name: str,
        function: Callable[..., Any],
        *,
        returns: Any,
        access: Rule | None = None,
        params: type[BaseModel] | None = None,
        summary: str | None = None,
        cache: Cache | None = None,
    ) -> Resource:
        """Add a read over the collection. function: `(db, actor)` or `(db, actor, params)`; it cannot write.

        access: of the caller alone, by default what the read rule says of the caller.
        """
        self.overviews.append(Overview(name, function, returns, access, params, summary, cache))
        return self

    def nested(self, name: str, child: Resource, *, by: str, writable: bool = True) -> Resource:
        """Add a collection below one row. by: the child's foreign key column. writable: False leaves out the `POST`."""
        self.children.append(Nested(name, child, by, writable))
        return self

    def on_read(self, function: Callable[[Any], None]) -> Resource:
        """Tell `function(seen)` of each row that `GET /{id}` has shown, 304 included and HEAD not (`web.Seen`).

        It is called on the way out of every such read: it remembers (`store.Tally`), and does no I/O.
        """
        self.readers.append(function)
        return self

    def restoration(
        self,
        function: Callable[..., Any] | None = None,
        *,
        access: Rule,
        summary: str | None = None,
        problems: Sequence[type[Exception]] = (),
    ) -> Resource:
        """Let whom `access` names see deleted rows (`?deleted=true`) and bring one back: `POST /{id}/restoration`.

        function: `(db, actor, row)`, called first; it may refuse.
        """
        if self.soft_delete is None:
            raise ConfigurationError(f"{self.name}: restoration() needs Resource(soft_delete=...)")
        self.restored_by = Restoration(access, function, summary, problems)
        return self

    def history(self, *, access: Rule, actors: Rule = nobody, fields: Sequence[str] | None = None) -> Resource:
        """Show whom `access` names what became of a row: `GET /{id}/history`, newest first.

        The row is judged by the read rule first; a deleted one by that of its restoration. A field that the caller may
        not read now is not told. actors: who may know who made a change; the caller always knows its own.
        """
        self.told_by = History(access, actors, fields)
        return self

    def imports(
        self,
        *,
        key: Sequence[str] = (),
        columns: Mapping[str, str] | None = None,
        clean: Callable[[Record], Mapping[str, Any] | None] | None = None,
        ignore_others: bool = False,
        access: Rule = nobody,
        max_bytes: int = 64 * 1024 * 1024,
    ) -> Resource:
        """Say how rows of a file become rows of this resource (`freehold import`).

        key: columns that a row is known by: one that is there is changed where it differs, so that a file imported again
        doubles nothing; unique in the table, best by a constraint. columns: field <- column, where the names differ.
        clean: makes the fields out of a `Record`, as JSON has them, instead; None passes over the row. ignore_others: columns
        that no field has the name of, refused otherwise. access: who may import over HTTP (`POST /v1/books/import`, followed as a job), beside the create
        and update rules. max_bytes: of a file that is sent so.
        """
        self.imported_by = Importing(tuple(key), dict(columns or {}), clean, ignore_others, access, max_bytes)
        return self

    def exports(self, *, access: Rule) -> Resource:
        """Let whom `access` names take the whole list as a file: `GET /v1/books/export?format=csv|jsonl`.

        With the filters, the search and the order of the list, under the read rule and the rules of fields, of one moment.
        """
        self.exported_to = access
        return self

    def bulk(self, *, at_most: int = 100) -> Resource:
        """Take several rows in one request and one commit: `POST` and `PATCH /v1/books/batch`, all of them or none.

        Each row is judged as it would be alone, under the create and the update rule. at_most: rows of one request.
        """
        self.batch_size = at_most
        return self
