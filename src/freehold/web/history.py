"""What became of a row: the records of its changes, cut to what the caller may read of the row now."""

from __future__ import annotations

from typing import Any

from pydantic_core import to_json
from sqlalchemy import Row, select
from starlette.requests import Request
from starlette.responses import Response

from freehold.query.cursor import END, START, Position
from freehold.query.declare import shown_attributes
from freehold.query.fields import Kind
from freehold.query.links import page_links
from freehold.resource.access import Constant
from freehold.resource.columns import derived_columns
from freehold.resource.declaration import History
from freehold.store.audit import AUDIT
from freehold.store.audit_values import AUDIT_VALUES
from freehold.store.session import Session
from freehold.web.addresses import address_asked
from freehold.web.admission import Endpoint, enter
from freehold.web.paging import page_question
from freehold.web.reads import Reads
from freehold.web.rows import clause, load
from freehold.web.runtime import runtime


class Histories:
    """Builds the endpoint of one resource."""

    def __init__(self, reads: Reads, told: History) -> None:
        self._reads = reads
        self._bound = reads.bound
        self._told = told
        columns = {each.key for each in self._bound.mapper.column_attrs} - derived_columns(self._bound.table).keys()
        named = shown_attributes(self._bound.read_schema) if told.fields is None else told.fields
        self._fields = frozenset(named) & columns
        self._grant = reads.grants.history

    def page(self) -> Endpoint:
        """GET: newest first, in pages."""

        async def endpoint(request: Request) -> Response:
            principal = await enter(request, self._told.access)
            key = self._bound.parse_key(request.path_params["id"])
            limit, cursor = page_question(request)
            bound: dict[str, Any] = {
                "resource": f"{self._bound.resource.name}/{key}/history",
                "principal": principal,
                "digest": "",
            }
            position = START if cursor is None else self._reads.cursors.open(cursor, kinds=[Kind.UUID], **bound)
            async with runtime(request).database.reading(principal, grant=self._grant, planned=True) as session:
                await load(session, self._bound, key, rule=self._told.access)
                shown, names_actors = await self._visible(session, key)
                rows = list((await session.execute(self._records(str(key), position, limit))).all())
            rows, places = _places(rows, position, limit)
            items = [_item(row, shown, row.principal_id == principal.id or names_actors) for row in rows]
            following, preceding = (
                None if place is None else self._reads.cursors.seal(place, **bound) for place in places
            )
            links = page_links(
                address_asked(request.scope),
                request.query_params.multi_items(),
                next_cursor=following,
                prev_cursor=preceding,
            )
            body = to_json({"items": items, "next_cursor": following})
            return Response(body, headers={"Link": links}, media_type="application/json")

        return endpoint

    def _records(self, key: str, position: Position, limit: int) -> Any:
        backward = position.direction == "before"
        found = (
            select(AUDIT, AUDIT_VALUES.c.content)
            .outerjoin(AUDIT_VALUES, AUDIT_VALUES.c.record_id == AUDIT.c.id)
            .where(AUDIT.c.subject_type == self._bound.resource.name, AUDIT.c.subject_id == key)
            .order_by(AUDIT.c.id if backward else AUDIT.c.id.desc())
            .limit(limit + 1)
        )
        if position.values:
            (place,) = position.values
            found = found.where(AUDIT.c.id > place if backward else AUDIT.c.id < place)
        return found

    async def _visible(self, session: Session, key: Any) -> tuple[frozenset[str], bool]:
        """The fields that the caller may read of this row now, and whether it may know who made a change."""
        visibility = self._reads.visibility(session)
        actors = self._told.actors.simplify(session.principal)
        asked = {f"fh_{name}": condition for name, condition in visibility.flags.items()}
        if not isinstance(actors, Constant):
            asked["actors"] = clause(session, self._bound, actors)
        judged: Any = {}
        if asked:
            columns = [condition.label(name) for name, condition in asked.items()]
            statement = select(*columns).select_from(self._bound.table).where(self._bound.key == key)
            judged = (await session.execute(statement)).mappings().one()
        kept = {name for name in visibility.flags if not judged[f"fh_{name}"]}
        names = actors.value if isinstance(actors, Constant) else bool(judged["actors"])
        return self._fields - visibility.hidden - kept, names


def _places(
    rows: list[Row[Any]], position: Position, limit: int
) -> tuple[list[Row[Any]], tuple[Position | None, Position | None]]:
    """The rows of the page, newest first, and the places of the next and the previous page."""
    more, rows = len(rows) > limit, rows[:limit]
    forward = position.direction == "after"
    if not forward:
        rows.reverse()
    has_next, has_prev = (more, position != START) if forward else (position != END, more)
    following = Position("after", (rows[-1].id,)) if has_next and rows else None
    preceding = Position("before", (rows[0].id,)) if has_prev and rows else None
    return rows, (following, preceding)


def _item(row: Row[Any], shown: frozenset[str], names_actor: bool) -> dict[str, Any]:  # noqa: FBT001 (a verdict)
    told = {name: change for name, (_, change) in (row.content or {}).items()}
    before, after = row.before or {}, row.after or {}
    told |= {name: {"from": before.get(name), "to": after.get(name)} for name in {**before, **after}}
    return {
        "id": row.id,
        "at": row.recorded_at,
        "by": row.principal_id if names_actor else None,
        "action": row.action,
        "changes": {
            name: {"from": told[name].get("from"), "to": told[name]["to"]} for name in sorted(told.keys() & shown)
        },
    }


def history_page() -> dict[str, Any]:
    """The schema of a page, for the document."""
    change = {"type": "object", "properties": {"from": {}, "to": {}}, "required": ["from", "to"]}
    item = {
        "type": "object",
        "properties": {
            "id": {"type": "string", "format": "uuid"},
            "at": {"type": "string", "format": "date-time"},
            "by": {"anyOf": [{"type": "string", "format": "uuid"}, {"type": "null"}]},
            "action": {"type": "string"},
            "changes": {"type": "object", "additionalProperties": change},
        },
        "required": ["id", "at", "by", "action", "changes"],
    }
    cursor = {"anyOf": [{"type": "string"}, {"type": "null"}]}
    properties = {"items": {"type": "array", "items": item}, "next_cursor": cursor}
    return {"type": "object", "properties": properties, "required": ["items", "next_cursor"]}
