"""The reading operations of a resource: lists, one row, collections below a row.

Everything that a caller sees of a resource passes through `show` and `page`: writes answer with them too, so that what
was written reads back byte for byte.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

from sqlalchemy import Row
from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Scope

from freehold.errors import FieldError, Invalid, NotFound
from freehold.query.cursor import Cursors
from freehold.query.links import page_links
from freehold.query.parse import parse
from freehold.query.request import ListQuery
from freehold.query.spec import ListSpec
from freehold.query.text import parameters
from freehold.resource.principal import Principal
from freehold.store.at_once import is_seen
from freehold.store.database import Database
from freehold.store.encode import EVERYTHING, Visibility
from freehold.store.executor import Plan, SessionExecutor
from freehold.store.fetched import Fetched, value_at
from freehold.store.plan_page import Page, PageQuery, fetch_items, fetch_one, fetch_page
from freehold.store.plans import KEY, ResourcePlans
from freehold.store.protection import Grant
from freehold.store.reading import Reading, executor_of
from freehold.store.session import Session
from freehold.store.straight import Straight
from freehold.web.addresses import address_asked
from freehold.web.admission import Endpoint, enter
from freehold.web.bound import Bound
from freehold.web.grants import Grants
from freehold.web.guard import require
from freehold.web.preconditions import entity_tag
from freehold.web.remembering import Answer, straight
from freehold.web.rows import clause
from freehold.web.runtime import runtime

JSON = "application/json"
Params = tuple[tuple[str, str], ...]
_MOST_KEPT = 500  # questions, by their text
_LONGEST_KEPT = 300


NOTHING: frozenset[str] = frozenset()


class Shown(NamedTuple):
    """One row as a caller sees it."""

    body: bytes
    tag: str


class OnePlanPage(NamedTuple):
    """A page that takes the rows of one plan. params: those that asked for it."""

    page: PageQuery
    plan: Plan
    params: Params


@dataclass(frozen=True, slots=True)
class Seen:
    """One row was shown to somebody. database: whose `parts` hold what the application keeps."""

    key: Any
    principal: Principal
    headers: Headers
    database: Database


class Reads:
    """Builds the reading endpoints of one resource."""

    def __init__(self, bound: Bound, plans: ResourcePlans, cursors: Cursors) -> None:
        self.bound = bound
        self.spec: ListSpec = plans.spec
        self._plans = plans
        # What may fail once a row is there (a schema with code of its own) must be able to undo it.
        self.is_written_at_once = plans.encoder.exact is not None and not bound.resource.access.read_fields
        # Nothing but columns, of which everybody sees the same.
        self.is_one_plan = not plans.encoder.is_orm and not bound.resource.access.read_fields
        self.cursors = cursors
        self.siblings: Mapping[Any, Reads] = {}
        self.grants = Grants(bound)
        self._questions: dict[tuple[bytes, frozenset[str]], tuple[ListQuery, Params]] = {}
        self._listed: set[str] = set()
        self._shown: set[str] = set()

    def list(self, *, answer: Answer = straight, parent: tuple[Bound, str] | None = None) -> Endpoint:
        """GET of the collection. parent: the resource above, and the column that points to it."""

        async def endpoint(request: Request) -> Response:
            principal = await enter(request, self.bound.rule("read"))

            async def load(viewer: Principal) -> Response:
                above = parent[0].parse_key(request.path_params["id"]) if parent else None
                database, question = runtime(request).database, request.scope["query_string"]
                page, params = await self.listed(database, viewer, question, parent=parent, above=above)
                path = address_asked(request.scope)
                links = page_links(path, params, next_cursor=page.next_cursor, prev_cursor=page.prev_cursor)
                return Response(page.body, headers={"Link": links}, media_type=JSON)

            return await answer(request, principal, load)

        return endpoint

    async def listed(
        self,
        database: Database,
        viewer: Principal,
        question: bytes,
        *,
        parent: tuple[Bound, str] | None = None,
        above: Any = None,
    ) -> tuple[Page, Params]:
        """One page as a caller sees it, and the parameters that asked for it. above: the key of the row of `parent`."""
        if parent is None:
            found = self.one_plan_page(database, viewer, question)
            if found is not None:
                rows = await database.planned_rows(viewer, found.plan, found.page.values(), tables=self._listed)
                return found.page.page(rows), found.params
        query, params = self._question(question, self.unaskable(viewer))
        if parent is not None:
            query = query.within(self.spec.fields[parent[1]], above)
        grant = self._deleted(viewer) if query.deleted else None

        async def work(asking: Session | Reading) -> Page:
            if parent is not None:
                await self.for_parent(parent[0]).require(asking, above)
            return await fetch_page(
                self._plans,
                executor_of(asking),
                query,
                cursors=self.cursors,
                principal=asking.principal,
                visibility_of=lambda model: self.siblings[model].visibility(asking),
            )

        return await database.planned(viewer, work, tables=self._listed, grant=grant), params

    def one_plan_page(self, database: Database, viewer: Principal, question: bytes) -> OnePlanPage | None:
        """A page that takes the rows of one plan, and no more; None for any other. Raises as `listed` does."""
        if not self.is_one_plan:
            return None
        query, params = self._question(question, NOTHING)
        if query.deleted:
            return None
        page = PageQuery(self._plans, query, cursors=self.cursors, principal=viewer)
        plan = page.only_plan(database.dialect_name)
        return None if plan is None else OnePlanPage(page, plan, params)

    def _question(self, text: bytes, hidden: frozenset[str]) -> tuple[ListQuery, Params]:
        """What is asked. The same text asks the same, unless a filter of one's own is in it."""
        known = self._questions.get((text, hidden))
        if known is None:
            params = parameters(text)
            known = parse(self.spec, params, hidden=hidden), params
            if not known[0].custom and len(text) <= _LONGEST_KEPT:
                if len(self._questions) >= _MOST_KEPT:
                    self._questions.clear()
                self._questions[text, hidden] = known
        return known

    async def items(self, session: Session, query: ListQuery) -> tuple[Sequence[bytes], str | None]:
        """One page of items, each as JSON by itself, and the cursor of the next one."""
        return await fetch_items(
            self._plans,
            SessionExecutor(session),
            query,
            cursors=self.cursors,
            principal=session.principal,
            visibility_of=lambda model: self.siblings[model].visibility(session),
        )

    def one(self, *, answer: Answer = straight) -> Endpoint:
        """GET of one row: a strong ETag, 304 when the caller has it."""

        async def endpoint(request: Request) -> Response:
            principal = await enter(request, self.bound.rule("read"))
            key = self.bound.parse_key(request.path_params["id"])

            async def load(viewer: Principal) -> Response:
                expand = self._expansion(request, viewer)
                shown = await self.shown(runtime(request).database, viewer, key, expand=expand)
                if shown is None:
                    raise NotFound
                return Response(shown.body, headers={"ETag": shown.tag}, media_type=JSON)

            response = await answer(request, principal, load)
            self._tell(request, principal, key)
            return response

        return endpoint

    def _tell(self, request: Request, principal: Principal, key: Any) -> None:
        self.tell(request.scope, principal, key, runtime(request).database)

    def tell(self, scope: Scope, principal: Principal, key: Any, database: Database) -> None:
        """Tell whom the resource names that a row was shown; a HEAD has shown nothing."""
        if self.tells and not scope["state"].get("is_head"):
            seen = Seen(key, principal, Headers(scope=scope), database)
            for each in self.bound.resource.readers:
                each(seen)

    @property
    def tells(self) -> bool:
        """Whether there is anybody to tell."""
        return bool(self.bound.resource.readers)

    async def shown(
        self, database: Database, viewer: Principal, key: Any, *, expand: tuple[str, ...] = ()
    ) -> Shown | None:
        """One row as a caller sees it, from wherever it may be read; None when it may not."""
        if self.is_one_plan and not expand:
            return self.shown_in(await database.planned_rows(viewer, self.shown_plan, {KEY: key}, tables=self._shown))

        async def work(asking: Session | Reading) -> Shown | None:
            return await self.show(asking, key, expand=expand)

        return await database.planned(viewer, work, tables=self._shown)

    async def show(
        self, session: Session | Reading | Straight, key: Any, *, expand: tuple[str, ...] = ()
    ) -> Shown | None:
        """One row as the session's caller sees it; None when it may not."""
        found = await fetch_one(
            self._plans,
            executor_of(session),
            key,
            expand=expand,
            visibility_of=lambda model: self.siblings[model].visibility(session),
        )
        return None if found is None else Shown(found[0], entity_tag(found[1], found[0]))

    @cached_property
    def shown_plan(self) -> Plan:
        """What everybody who sees a row sees of it."""
        return self._plans.one()

    def can_write(self, row: Mapping[str, Any]) -> bool:
        """Whether what `shown_plan` reads of a row of these values can surely be written: there is no undoing it."""
        exact = self._plans.encoder.exact
        return exact is not None and exact.takes(row)

    def written(self, rows: Fetched) -> Shown | None:
        """What such a plan has read, of a row that was written just so; None where its caller may not see it."""
        return self.shown_in(rows) if is_seen(rows) else None

    def shown_in(self, rows: Sequence[Row[Any]]) -> Shown | None:
        """The row that `shown_plan` found, of which its caller sees every field; None where there is none."""
        if not rows:
            return None
        (body,) = self._plans.encoder.items(rows)
        place = self._plans.version_place
        return Shown(body, entity_tag(0 if place is None else int(value_at(rows, 0, place)), body))

    async def whole(self, session: Session, key: Any) -> bytes:
        """Every field of a row that is there, whoever may see it. For a session in system scope."""
        found = await fetch_one(self._plans, SessionExecutor(session), key)
        assert found is not None, "the row is there, and the system sees it"
        return found[0]

    async def require(self, session: Session | Reading, key: Any) -> None:
        """Raise NotFound unless the caller may read the row."""
        if not await executor_of(session).fetch(self._plans.there(), {KEY: key}):
            raise NotFound

    def for_parent(self, parent: Bound) -> Reads:
        """The reads of the resource above."""
        return self.siblings[parent.model]

    def refuse_parameters(self, request: Request) -> None:
        """Raise Invalid for any query parameter: the operation has none (V06)."""
        if request.scope["query_string"] and request.query_params:
            raise Invalid(errors=[unknown_parameter(name) for name in dict(request.query_params)])

    def _deleted(self, principal: Principal) -> Grant | None:
        """What lets a caller see deleted rows. Raises where the rule of their restoration holds for none of them."""
        if self.grants.deleted is not None:
            require(self.grants.deleted.rule, principal)
        return self.grants.deleted

    def unaskable(self, principal: Principal) -> frozenset[str]:
        """The fields that this caller may not read, or not in every row: nothing may be asked about them."""
        if not self.bound.resource.access.read_fields:
            return NOTHING
        return self.bound.hidden(principal) | frozenset(self.bound.conditional(principal))

    def visibility(self, session: Session | Reading | Straight) -> Visibility:
        """Which fields of this resource the session's caller sees, in every row or in some."""
        if not self.bound.resource.access.read_fields:
            return EVERYTHING
        principal = session.principal
        hidden, rules = self.bound.hidden(principal), self.bound.conditional(principal)
        flags = {name: clause(session, self.bound, rule) for name, rule in rules.items()}
        return Visibility(hidden, flags, session.scope.shape if hidden or flags else None)

    def _expansion(self, request: Request, principal: Principal) -> tuple[str, ...]:
        params = request.query_params.multi_items()
        unknown = [unknown_parameter(name) for name, _ in params if name != "expand"]
        if unknown:
            raise Invalid(errors=unknown)
        return parse(self.spec, params, hidden=self.unaskable(principal)).expand


def unknown_parameter(name: str) -> FieldError:
    """The fault of a query parameter that the operation does not have (V06)."""
    return FieldError("query.unknown_parameter", "There is no such parameter.", parameter=name[:100])
