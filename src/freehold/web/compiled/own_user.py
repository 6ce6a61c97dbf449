"""`GET /v1/users/me`, from the caller to the bytes."""

from __future__ import annotations

from collections.abc import Awaitable, Sequence
from functools import partial
from typing import Any

from sqlalchemy import Row, bindparam, inspect, select
from sqlalchemy.orm import DeclarativeBase
from starlette.types import Receive, Scope

from freehold.errors import NotFound
from freehold.identity.service import Identity
from freehold.resource.access import signed_in
from freehold.resource.principal import Principal, system
from freehold.store.encode import Encoder
from freehold.store.executor import Plan
from freehold.store.fetched import value_at
from freehold.store.plans import KEY, VERSION_LABEL
from freehold.traffic.policy import Policy
from freehold.web.answer import Ready
from freehold.web.compiled.direct_operation import DirectQuestion, Otherwise
from freehold.web.compiled.door import Door
from freehold.web.compiled.reply import tagged
from freehold.web.execution import request_key
from freehold.web.identity_parts import FOR_ITS_CALLER
from freehold.web.preconditions import entity_tag
from freehold.web.runtime import Runtime

_ITSELF = system("the rule of the operation has allowed it")
_PRIVATE = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in FOR_ITS_CALLER.items()]


class OwnUser:
    """The caller's account: its row is read each time, whatever was verified before."""

    def __init__(self, identity: Identity) -> None:
        self.door = Door(signed_in, Policy("get_own_user"))
        model: Any = identity.user
        self._encoder = Encoder(model, identity.read)
        self._plan = _plan(model, self._encoder)
        self._version_place = len(self._encoder.columns or ())
        self._tables: set[str] = set()

    @property
    def is_possible(self) -> bool:
        """Whether what is shown of an account are columns."""
        return not self._encoder.is_orm

    async def answer(self, parts: Runtime, scope: Scope, receive: Receive) -> Ready:
        """The answer. Raises what the path operation of `identity` raises, in its order."""
        request_key(scope)  # a malformed one is refused, as everywhere
        return await self.read(parts, scope, await self.door.enter(parts, scope))

    async def read(self, parts: Runtime, scope: Scope, principal: Principal) -> Ready:
        """The same for a caller who was let in."""
        database = parts.database
        found = await database.planned_rows(_ITSELF, self._plan, {KEY: principal.id}, tables=self._tables)
        return self._reply(scope, found)

    def may_be_direct(self, parts: Runtime, scope: Scope, body: bytes) -> bool:
        """See `DirectOperation`."""
        request_key(scope)
        return parts.database.has_questions

    def question(self, parts: Runtime, scope: Scope, principal: Principal, body: bytes) -> DirectQuestion | Otherwise:
        """See `DirectOperation`."""

        def otherwise(_: Exception | None) -> Awaitable[Ready]:
            return self.read(parts, scope, principal)

        question = parts.database.question(_ITSELF, self._plan, {KEY: principal.id})
        return otherwise if question is None else (*question, partial(self._reply, scope), otherwise)

    def _reply(self, scope: Scope, rows: Sequence[Row[Any]]) -> Ready:
        if not rows:
            raise NotFound
        body = self._encoder.items(rows)[0]
        return tagged(scope, body, entity_tag(value_at(rows, 0, self._version_place), body), _PRIVATE)


def _plan(model: type[DeclarativeBase], encoder: Encoder) -> Plan:
    mapper = inspect(model)
    key, version = mapper.primary_key[0], mapper.version_id_col
    columns = [] if encoder.columns is None else [column.label(name) for name, column in encoder.columns.items()]
    assert version is not None, "accounts stand on a base with a row version"
    statement = select(*columns, version.label(VERSION_LABEL)).where(key == bindparam(KEY, type_=key.type))
    return Plan(statement, ("one", "own user"), key=KEY, written=len(columns) if encoder.exact is not None else 0)
