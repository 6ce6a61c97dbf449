"""Parameters of a request -> `ListQuery`. Raises nothing but `Invalid`, which names every parameter at fault."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, Final, TypeVar

from sqlalchemy import ColumnElement

from freehold.errors import FieldError, Invalid
from freehold.query import values
from freehold.query.request import Box, Condition, ListQuery, Near
from freehold.query.spec import DELETED, DISTANCE, RELEVANCE, RESERVED, FilterSpec, ListSpec, SortKey, sort_key
from freehold.query.values import BadValue
from freehold.query.words import Search, read_search

MAX_SEARCH_TERMS: Final = 64
MAX_SEARCH_CHARACTERS: Final = 8_192
MAX_VALUES: Final = 100
"""Values of an `__in`."""
MAX_SORT_KEYS: Final = 5
MAX_NEEDLE_CHARACTERS: Final = 200
MAX_ERRORS: Final = 20
"""Faults told in one answer."""
HALF_EQUATOR_KM: Final = 20_038.0
_BY_RELEVANCE: Final = SortKey(RELEVANCE)

T = TypeVar("T")


def parse(spec: ListSpec, params: Sequence[tuple[str, str]], *, hidden: frozenset[str] = frozenset()) -> ListQuery:
    """Check the query parameters of a list.

    params: decoded pairs, in order. hidden: fields that this caller may not read, or not in every row; filters,
    sorts, facets and searches that would tell of them do not exist for the caller. Unknown and repeated parameters
    are faults. Cost is linear in the length of the text.
    """
    return _Parser(spec, hidden).parse(params)


class _Parser:
    def __init__(self, spec: ListSpec, hidden: frozenset[str]) -> None:
        self.spec = spec
        self.hidden = hidden
        self.errors: list[FieldError] = []
        self.given: dict[str, str] = {}

    def parse(self, params: Sequence[tuple[str, str]]) -> ListQuery:
        self._collect(params)
        near = self._near()
        search = self._read("q", _search, None)
        clauses, custom = self._custom()
        query = ListQuery(
            sort=self._sort(search, has_near=near is not None),
            limit=self._limit(),
            conditions=self._conditions(),
            clauses=clauses,
            custom=custom,
            search=search,
            match=None if search is None else search.match(),
            near=near,
            box=self._read("bbox", _box, None),
            cursor=self.given.get("cursor"),
            count=self._read("count", values.boolean, False),
            expand=self._names(
                "expand", lambda: [name for name, uses in self.spec.expand.items() if not uses & self.hidden]
            ),
            facets=self._names("facets", lambda: [name for name in self.spec.facets if name not in self.hidden]),
            deleted=self.spec.shows_deleted and self._read(DELETED, values.boolean, False),
        )
        if self.errors:
            raise Invalid(errors=self.errors[:MAX_ERRORS])
        return query

    def fault(self, parameter: str, code: str, message: str) -> None:
        self.errors.append(FieldError(code, message, parameter=parameter))

    def _collect(self, params: Sequence[tuple[str, str]]) -> None:
        for name, value in params:
            if not self._is_known(name):
                self.fault(printable(name), "query.unknown_parameter", "There is no such parameter.")
            elif name in self.given:
                self.fault(
                    name, "query.repeated_parameter", "Give it once; several values of an __in stand behind commas."
                )
            else:
                self.given[name] = value

    def _is_known(self, name: str) -> bool:
        spec = self.spec
        if name in spec.filters:
            return spec.filters[name].field.name not in self.hidden
        if name in spec.custom:
            return True
        if name == "q":
            return spec.search is not None and not spec.search_sources & self.hidden
        if name in {"near", "within_km", "bbox"}:
            return spec.geo is not None and not {field.name for field in spec.geo} & self.hidden
        if name in {"expand", "facets"}:
            return bool(getattr(spec, name))
        return spec.shows_deleted if name == DELETED else name in RESERVED

    def _read(self, name: str, read: Callable[[str], T], otherwise: T) -> T:
        if name not in self.given:
            return otherwise
        try:
            return read(self.given[name])
        except BadValue as error:
            self.fault(name, "query.invalid_value", str(error))
            return otherwise

    def _conditions(self) -> tuple[Condition, ...]:
        found: list[Condition] = []
        filters = self.spec.filters
        for name in sorted(self.given):
            if name not in filters:
                continue
            asked = filters[name]
            value = self._read(name, lambda text, asked=asked: _operand(asked, text), None)  # type: ignore[misc]
            found.append(Condition(asked.field, asked.operation, value))
        return tuple(found)

    def _custom(self) -> tuple[tuple[ColumnElement[bool], ...], Mapping[str, Any]]:
        clauses: list[ColumnElement[bool]] = []
        known: dict[str, Any] = {}
        if not self.spec.custom:
            return (), known
        faults = len(self.errors)
        for name in sorted(self.given.keys() & self.spec.custom.keys()):
            known[name] = self._read(name, self.spec.custom[name].read, None)
        if len(self.errors) > faults:
            return (), known
        asked = {id(self.spec.custom[name].filter): self.spec.custom[name].filter for name in known}
        for each in asked.values():
            try:
                clauses.append(each.clause({name: known.get(name) for name in each.params}))
            except Invalid as error:
                self.errors.extend(
                    error.errors or [FieldError(error.problem_code, str(error), parameter=next(iter(each.params)))]
                )
        return tuple(clauses), known

    def _sort(self, search: Search | None, *, has_near: bool) -> tuple[SortKey, ...]:
        usual = self._usual_sort()
        best = [_BY_RELEVANCE] if self.spec.sorts_by_relevance and search is not None and search.phrases else []
        keys = [sort_key(part) for part in self.given["sort"].split(",")] if "sort" in self.given else [*best, *usual]
        if "sort" in self.given and not self._check_sort(keys, has_near=has_near):
            keys = usual
        if keys[0] == _BY_RELEVANCE and self.spec.sorts_by_relevance:
            # Where nothing is wanted, but something is unwanted, all rows are equally good.
            keys = [*best, *(keys[1:] or usual)]
        names = [key.name for key in keys]
        if self.spec.key.name in names:
            return tuple(keys[: names.index(self.spec.key.name) + 1])
        return (*keys, SortKey(self.spec.key.name, keys[-1].descending))

    def _usual_sort(self) -> list[SortKey]:
        shown = [key for key in self.spec.default_sort if key.name not in self.hidden]
        return shown or [SortKey(self.spec.key.name, descending=True)]

    def _check_sort(self, keys: Sequence[SortKey], *, has_near: bool) -> bool:
        names = [key.name for key in keys]
        allowed = self._sort_names()
        if any(name not in allowed for name in names):
            self.fault("sort", "query.invalid_value", f"Sort by {', '.join(allowed)}; a minus in front turns it round.")
        elif len(set(names)) < len(names) or len(names) > MAX_SORT_KEYS:
            self.fault("sort", "query.invalid_value", f"At most {MAX_SORT_KEYS} columns, each once.")
        elif DISTANCE in names and self.spec.sorts_by_distance and DISTANCE not in self.spec.sorts and not has_near:
            self.fault("sort", "query.invalid_value", "Sorting by distance needs near=latitude,longitude.")
        elif self.spec.sorts_by_relevance and RELEVANCE in names:
            return self._check_relevance(keys)
        else:
            return True
        return False

    def _check_relevance(self, keys: Sequence[SortKey]) -> bool:
        if keys[0] != _BY_RELEVANCE:
            self.fault("sort", "query.invalid_value", "relevance comes first, without a minus.")
        elif "q" not in self.given:
            self.fault("sort", "query.invalid_value", "Sorting by relevance needs q.")
        else:
            return True
        return False

    def _sort_names(self) -> list[str]:
        names = [name for name in self.spec.sorts if name not in self.hidden]
        if self.spec.sorts_by_relevance and self._is_known("q"):
            names.append(RELEVANCE)
        if self.spec.sorts_by_distance and self._is_known("near"):
            names.append(DISTANCE)
        return names

    def _limit(self) -> int:
        limit = self._read("limit", values.integer, self.spec.page_size)
        if not 1 <= limit <= self.spec.max_page_size:
            self.fault("limit", "query.out_of_range", f"Between 1 and {self.spec.max_page_size}.")
        return limit

    def _near(self) -> Near | None:
        if "near" not in self.given and "within_km" not in self.given:
            return None
        point = self._read("near", lambda text: _degrees(text, 2), None)
        within = self._read("within_km", values.number, None)
        if within is not None and not 0 < within <= HALF_EQUATOR_KM:
            self.fault("within_km", "query.out_of_range", f"More than 0, at most {HALF_EQUATOR_KM:g}.")
        if "within_km" in self.given and "near" not in self.given:
            self.fault("within_km", "query.invalid_value", "A distance needs near=latitude,longitude.")
        if point is None:
            return None
        latitude, longitude = point
        if not _is_place(latitude, longitude):
            self.fault("near", "query.out_of_range", "A latitude within 90 and a longitude within 180 degrees.")
        return Near(latitude, longitude, within)

    def _names(self, parameter: str, allow: Callable[[], Collection[str]]) -> tuple[str, ...]:
        if parameter not in self.given:
            return ()
        names, allowed = self.given[parameter].split(","), allow()
        if any(name not in allowed for name in names) or len(set(names)) < len(names):
            self.fault(parameter, "query.invalid_value", f"Of {', '.join(sorted(allowed)) or 'none'}, each once.")
        return tuple(names)


def _operand(asked: FilterSpec, text: str) -> Any:
    if asked.operation == "isnull":
        return values.boolean(text)
    if asked.operation == "in":
        parts = text.split(",")
        if len(parts) > MAX_VALUES:
            raise BadValue(f"At most {MAX_VALUES} values.")
        return tuple(dict.fromkeys(values.parse_value(asked.field, part) for part in parts))
    if asked.operation == "contains" and len(text) > MAX_NEEDLE_CHARACTERS:
        raise BadValue(f"At most {MAX_NEEDLE_CHARACTERS} characters.")
    return values.parse_value(asked.field, text)


def _search(text: str) -> Search:
    if len(text) > MAX_SEARCH_CHARACTERS:
        raise BadValue(f"At most {MAX_SEARCH_CHARACTERS} characters.")
    search = read_search(values.printable_text(text))
    if search.size > MAX_SEARCH_TERMS:
        raise BadValue(f"At most {MAX_SEARCH_TERMS} terms.")
    return search


def _degrees(text: str, count: int) -> tuple[float, ...]:
    parts = text.split(",", count)
    if len(parts) != count:
        raise BadValue(f"Expected {count} numbers with commas between them.")
    return tuple(values.number(part) for part in parts)


def _is_place(latitude: float, longitude: float) -> bool:
    return -90 <= latitude <= 90 and -180 <= longitude <= 180


def _box(text: str) -> Box:
    west, south, east, north = _degrees(text, 4)
    if not (_is_place(south, west) and _is_place(north, east) and south <= north):
        raise BadValue("Expected west,south,east,north in degrees, the south below the north.")
    return Box(west, south, east, north)


def printable(name: str) -> str:
    """A parameter name as it may be repeated to its sender: cut, without control characters and surrogates."""
    return "".join(c if c.isprintable() else "\ufffd" for c in name[:100])
