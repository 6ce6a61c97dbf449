"""What clients ask of a list, asked again by a service: a query that somebody keeps, and looks at later."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast
from urllib.parse import parse_qsl

from sqlalchemy import ColumnElement, bindparam, select
from sqlalchemy.orm import DeclarativeBase

from freehold.query.parse import parse
from freehold.query.request import ListQuery
from freehold.query.spec import ListSpec
from freehold.resource.principal import Principal
from freehold.store.branch import branch
from freehold.store.plan_conditions import conditions, values
from freehold.store.session import ScopedSession, Session


@dataclass(frozen=True, slots=True)
class Askable:
    """The list of one resource. hidden: the fields that a caller may not ask about."""

    spec: ListSpec
    hidden: Callable[[Principal], frozenset[str]]


class Lists:
    """The lists of an application, by model; a part of its database: `db.part(Lists)`."""

    def __init__(self, lists: Mapping[type[DeclarativeBase], Askable]) -> None:
        self._lists = lists

    def check(self, model: type[DeclarativeBase], query: str, *, seen_by: Principal) -> frozenset[str]:
        """The names of the parameters of a query, as it stands behind the `?` of an address.

        Raises Invalid, as the list itself would for this caller; KeyError for a model without a resource.
        """
        pairs = _pairs(query)
        self._parse(model, pairs, seen_by)
        return frozenset(name for name, _ in pairs)

    async def rows(
        self,
        db: Session,
        model: type[DeclarativeBase],
        query: str,
        *further: ColumnElement[bool],
        seen_by: Principal,
        columns: Sequence[Any] = (),
        limit: int,
    ) -> list[tuple[Any, ...]]:
        """Key and `columns` of what the query finds and `further` narrows, by the keys, newest first.

        seen_by: whose access rules apply, whoever's session it is; in its transaction, after what it has flushed.
        Raises as `check` does.
        """
        spec, asked = self._lists[model].spec, self._parse(model, _pairs(query), seen_by)
        statement = select(spec.key.column, *columns).where(*conditions(spec, asked), *further)
        await db.flush()
        connection, _ = branch(db.fh_connection, cast(ScopedSession, db.sync_session).fh_scopes, seen_by, None)
        paged = statement.order_by(spec.key.column.desc()).limit(bindparam("q_limit"))
        found = await connection.execute(paged, {**values(spec, asked), "q_limit": limit})
        return [tuple(row) for row in found]

    def _parse(self, model: type[DeclarativeBase], pairs: list[tuple[str, str]], caller: Principal) -> ListQuery:
        found = self._lists[model]
        return parse(found.spec, pairs, hidden=found.hidden(caller))


def _pairs(query: str) -> list[tuple[str, str]]:
    return parse_qsl(query, keep_blank_values=True)
