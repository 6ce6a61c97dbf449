"""Query parameters: checked against the declaration, strict, and never anything but a 422."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from enum import Enum
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import JSON, DateTime, Float, ForeignKey, MetaData, Numeric, String, select
from sqlalchemy import Enum as SqlEnum
from sqlalchemy.orm import Mapped, mapped_column, relationship

from freehold.errors import ConfigurationError, Conflict, FieldError, Invalid, Problem
from freehold.query.declare import build_spec
from freehold.query.fields import FieldSpec, Kind
from freehold.query.parse import parse
from freehold.query.request import Box, ListQuery, Near
from freehold.query.spec import ListSpec, SortKey
from freehold.query.words import Phrase
from freehold.resource.access import anyone, nobody
from freehold.resource.base import NAMING, Base
from freehold.resource.columns import folded, search_document
from freehold.resource.declaration import Access, Filter, Geo, Queries, Ranges, Resource
from freehold.resource.schemas import derive_read


class Local(Base):
    __abstract__ = True
    metadata = MetaData(naming_convention=NAMING)


class Kindred(Enum):
    HOUSE = "house"
    ROOM = "room"


class ParseOwner(Local):
    name: Mapped[str]


class ParseHome(Local):
    title: Mapped[str] = mapped_column(String(120))
    title_key: Mapped[str] = folded("title", index=True)
    plain: Mapped[str]
    kind: Mapped[Kindred]
    word: Mapped[str] = mapped_column(SqlEnum("a", "b", name="word"))
    bedrooms: Mapped[int] = mapped_column(index=True)
    price: Mapped[Decimal] = mapped_column(Numeric(10, 2), index=True)
    area: Mapped[float | None]
    is_open: Mapped[bool]
    free_on: Mapped[date | None]
    naive_at: Mapped[datetime | None] = mapped_column(DateTime())
    extra: Mapped[Any] = mapped_column(JSON)
    secret: Mapped[int] = mapped_column(index=True)
    latitude: Mapped[float] = mapped_column(Float, index=True)
    longitude: Mapped[float] = mapped_column(Float)
    owner_id: Mapped[UUID] = mapped_column(ForeignKey("parse_owners.id"))
    owner: Mapped[ParseOwner] = relationship()
    search: Mapped[str] = search_document("title")


READ = derive_read(ParseHome, hidden=frozenset({"secret"}))


def spec_of(queries: Queries | None = None, **access: Any) -> ListSpec:
    resource = Resource(ParseHome, name="homes", access=Access(read=anyone, **access), queries=queries or Queries())
    return build_spec(resource, READ, expandable=[ParseOwner])


RICH = Queries(search=["title"], geo=Geo(), expand=["owner"], facets=["kind", "bedrooms"])


def ask(*params: tuple[str, str], queries: Queries | None = RICH, **options: Any) -> ListQuery:
    return parse(spec_of(queries), params, **options)


def faults(*params: tuple[str, str], **options: Any) -> list[tuple[str | None, str]]:
    with pytest.raises(Invalid) as refused:
        ask(*params, **options)
    return [(each.parameter, each.code) for each in refused.value.errors]


def test_nothing_asked_is_the_first_page_newest_first():
    assert ask() == ListQuery(sort=(SortKey("id", descending=True),), limit=20)


@pytest.mark.parametrize(
    ("parameter", "text", "value"),
    [
        ("bedrooms", "3", 3),
        ("bedrooms__gte", "-9223372036854775808", -(2**63)),
        ("price__lte", "9.90", Decimal("9.90")),
        ("area__gt", "1e3", 1000.0),
        ("is_open", "false", False),
        ("free_on", "2024-02-29", date(2024, 2, 29)),
        ("created_at__lt", "2026-01-01T02:00:00+02:00", datetime(2026, 1, 1, tzinfo=UTC)),
        ("naive_at", "2026-01-01T02:00:00+02:00", datetime(2026, 1, 1)),  # noqa: DTZ001 (the column has no zone)
        ("kind", "room", Kindred.ROOM),
        ("kind__in", "room,house,room", (Kindred.ROOM, Kindred.HOUSE)),
        ("word__ne", "a", "a"),
        ("owner_id", "01890a5d-ac96-774b-bcce-b302099a8057", UUID("01890a5d-ac96-774b-bcce-b302099a8057")),
        ("title", " kept as sent ", " kept as sent "),
        ("title__contains", "100%_", "100%_"),
        ("area__isnull", "true", True),
        ("plain__in", "", ("",)),
    ],
)
def test_values_arrive_typed(parameter, text, value):
    (condition,) = ask((parameter, text), queries=Queries()).conditions
    assert condition.value == value
    assert type(condition.value) is type(value)


BAD_VALUES = [
    *(("bedrooms", text) for text in ("", "0x10", " 1", "1 ", "+1", "1_0", "01", "1.0", "1e3", "\u0661", "9223372036854775808", "-9223372036854775809", "9" * 5000, "null", "NaN")),
    *(("price", text) for text in ("", "1e3", "NaN", "Infinity", ".5", "5.", "1,5", "9" * 29, "\uff11", "0.1\n")),
    *(("area", text) for text in ("nan", "inf", "-Infinity", "1e999", "0x1p3", "")),
    *(("is_open", text) for text in ("1", "True", "TRUE", "yes", "")),
    *(("free_on", text) for text in ("2023-02-29", "2024-02-30", "0000-01-01", "10000-01-01", "2024-1-1", "20240101", "2024-01-01T00:00:00Z", "1700000000", "")),
    *(("created_at", text) for text in ("2026-01-01", "2026-01-01T00:00:00", "2026-01-01 00:00:00Z", "2026-06-30T23:59:60Z", "2026-01-01T24:00:00Z", "0000-01-01T00:00:00Z", "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", "10000-01-01T00:00:00Z", "2026-01-01T00:00:00 02:00", "2026-01-01T00:00:00+25:00", "1700000000", "now")),
    *(("kind", text) for text in ("ROOM", "room ", "castle", "")),
    *(("owner_id", text) for text in ("1", "01890a5dac96774bbcceb302099a8057", "{01890a5d-ac96-774b-bcce-b302099a8057}", "urn:uuid:01890a5d-ac96-774b-bcce-b302099a8057", "zz890a5d-ac96-774b-bcce-b302099a8057")),
    *(("title", text) for text in ("a\x00b", "\x1b", "a\nb", "\x85", "\ud800", "x" * 1001)),
    ("title__contains", "x" * 201),
    ("bedrooms__in", "1,,2"),
    ("bedrooms__in", "1,x"),
    ("bedrooms__in", ",".join("1" * 101)),
    ("area__isnull", "1"),
]  # fmt: skip


@pytest.mark.parametrize(("parameter", "text"), BAD_VALUES)
def test_V09_values_are_strict(parameter, text):
    assert faults((parameter, text), queries=Queries()) == [(parameter, "query.invalid_value")]


@pytest.mark.parametrize("limit", ["0", "-1", "101", "1000000000000", "99999999999999999999", "x", "", "1.0", " 1"])
def test_V07_the_page_size_has_bounds(limit):
    ((parameter, code),) = faults(("limit", limit))
    assert parameter == "limit"
    assert code in {"query.out_of_range", "query.invalid_value"}
    assert ask(("limit", "100")).limit == 100


@pytest.mark.parametrize(
    "name",
    ["colour", "secret", "extra", "bedrooms__regex", "bedrooms__", "__gte", "title_key", "search", "page", "", "Bedrooms", "bedrooms__gte__lt", "a\x00", "is_open__gte", "plain__contains", "bedrooms__isnull", "kind__lt", "id__contains"],
)  # fmt: skip
def test_V06_unknown_parameters_are_refused(name):
    ((parameter, code),) = faults((name, "1"))
    assert code == "query.unknown_parameter"
    assert parameter == name.replace("\x00", "\ufffd")


def test_a_parameter_given_twice_is_refused():
    assert faults(("bedrooms", "1"), ("bedrooms", "2")) == [("bedrooms", "query.repeated_parameter")]
    assert faults(("limit", "1"), ("limit", "1")) == [("limit", "query.repeated_parameter")]


def test_every_fault_is_told_up_to_a_bound():
    assert faults(("bedrooms", "x"), ("colour", "y"), ("limit", "0")) == [
        ("colour", "query.unknown_parameter"),
        ("limit", "query.out_of_range"),
        ("bedrooms", "query.invalid_value"),
    ]
    assert len(faults(*((f"x{number}", "") for number in range(1000)))) == 20


def test_sorts_end_with_the_key():
    assert ask(("sort", "title,-bedrooms")).sort == (
        SortKey("title"),
        SortKey("bedrooms", descending=True),
        SortKey("id", descending=True),
    )
    assert ask(("sort", "id,title")).sort == (SortKey("id"),)
    assert ask(("sort", "distance"), ("near", "1,2")).sort == (SortKey("distance"), SortKey("id"))


@pytest.mark.parametrize(
    "sort",
    ["", "plain", "kind", "secret", "--id", "id,id", "id,-id", "+id", "id ", "distance", "id,", "title;drop", "area"],
)
def test_V07_sort_names_come_from_a_list(sort):
    assert faults(("sort", sort)) == [("sort", "query.invalid_value")]


def test_Z05_what_the_caller_may_not_read_does_not_exist():
    hidden = frozenset({"title", "latitude", "bedrooms", "owner_id"})
    for params in (
        [("title", "x")],
        [("bedrooms__gte", "1")],
        [("q", "x")],
        [("near", "1,1")],
        [("bbox", "1,1,2,2")],
        [("owner_id", "x")],
    ):
        assert faults(*params, hidden=hidden) == [(params[0][0], "query.unknown_parameter")]
    for parameter, value in (("sort", "title"), ("facets", "bedrooms"), ("expand", "owner"), ("sort", "distance")):
        assert faults((parameter, value), hidden=hidden) == [(parameter, "query.invalid_value")]
    assert ask(queries=Queries(sort=["bedrooms"]), hidden=hidden).sort == (SortKey("id", descending=True),)


def test_search_near_and_box():
    query = ask(("q", "Small ÄPART"), ("near", "51.5,-0.1"), ("within_km", "2.5"), ("bbox", "179,-1,-179,1"))
    assert query.search is not None
    assert query.search.phrases == (Phrase(("small",)), Phrase(("apart",), prefix=True))
    assert query.near == Near(51.5, -0.1, 2.5)
    assert query.box == Box(179, -1, -179, 1)


@pytest.mark.parametrize(
    ("params", "parameter"),
    [
        ({"near": "51.5"}, "near"),
        ({"near": "91,0"}, "near"),
        ({"near": "0,181"}, "near"),
        ({"near": "0,0,0"}, "near"),
        ({"near": "nan,0"}, "near"),
        ({"near": " 0,0"}, "near"),
        ({"within_km": "5"}, "within_km"),
        ({"near": "0,0", "within_km": "0"}, "within_km"),
        ({"near": "0,0", "within_km": "-1"}, "within_km"),
        ({"near": "0,0", "within_km": "1e9"}, "within_km"),
        ({"bbox": "0,0,1"}, "bbox"),
        ({"bbox": "0,1,1,0"}, "bbox"),
        ({"bbox": "0,0,1,1,1"}, "bbox"),
        ({"bbox": "0,0,181,1"}, "bbox"),
        ({"q": "a\x00"}, "q"),
        ({"q": " ".join(f"w{n}" for n in range(65))}, "q"),
        ({"q": "x" * 8193}, "q"),
        ({"count": "1"}, "count"),
        ({"expand": "owner,owner"}, "expand"),
        ({"expand": "secret"}, "expand"),
        ({"expand": ""}, "expand"),
        ({"facets": "title"}, "facets"),
    ],
)
def test_bad_questions_name_their_parameter(params, parameter):
    assert parameter in {name for name, _ in faults(*params.items())}


def test_names_and_flags():
    query = ask(("expand", "owner"), ("facets", "kind,bedrooms"), ("count", "true"), ("cursor", "abc"))
    assert (query.expand, query.facets, query.count, query.cursor) == (("owner",), ("kind", "bedrooms"), True, "abc")


def test_a_filter_of_ones_own_gets_typed_values():
    seen: list[Any] = []

    def clause(given: Any) -> Any:
        seen.append(dict(given))
        if given["until"] is not None and given["until"] < given["since"]:
            raise Invalid(errors=[FieldError("home.range", "until lies before since", parameter="until")])
        return ParseHome.bedrooms > 0

    own = Filter({"since": date, "until": date, "mode": Kindred, "many": list[int], "text": str}, clause)
    queries = Queries(filters=["bedrooms", own])
    assert len(ask(("since", "2024-01-01"), ("mode", "room"), queries=queries).clauses) == 1
    assert seen == [{"since": date(2024, 1, 1), "until": None, "mode": Kindred.ROOM, "many": None, "text": None}]
    assert ask(("bedrooms", "1"), queries=queries).clauses == ()
    assert faults(("since", "2024-01-02"), ("until", "2024-01-01"), queries=queries) == [("until", "home.range")]
    assert faults(("since", "x"), queries=queries) == [("since", "query.invalid_value")]
    assert faults(("mode", "x"), queries=queries) == [("mode", "query.invalid_value")]
    assert faults(("many", "x"), queries=queries) == [("many", "query.invalid_value")]
    assert len(seen) == 2


def test_a_bare_invalid_names_the_filter():
    def clause(given: Any) -> Any:
        raise Invalid("no such place")

    assert faults(("place", "x"), queries=Queries(filters=[Filter({"place": str}, clause)])) == [
        ("place", "request.invalid")
    ]


def test_digests_tell_questions_apart_and_pages_of_one_not():
    asked = ask(("bedrooms", "1"))
    assert asked.digest() == ask(("bedrooms", "1"), ("limit", "5"), ("cursor", "x"), ("count", "true")).digest()
    others = [
        ask(("bedrooms", "2")),
        ask(("bedrooms__gt", "1")),
        ask(("bedrooms", "1"), ("sort", "title")),
        ask(("bedrooms", "1"), ("q", "x")),
        ask(("bedrooms", "1"), ("bbox", "0,0,1,1")),
        asked.within(spec_of().fields["owner_id"], UUID(int=1)),
    ]
    assert len({asked.digest(), *(each.digest() for each in others)}) == 7


NAMES = st.sampled_from(
    ["title", "title__contains", "bedrooms__in", "price__gte", "created_at__lt", "kind", "limit", "cursor", "sort", "q", "count", "near", "within_km", "bbox", "expand", "facets", "area__isnull", "free_on", "owner_id"]
)  # fmt: skip


@given(
    st.lists(
        st.tuples(NAMES | st.text(max_size=20), st.text(max_size=60) | st.from_regex(r"-?[0-9,.e]{1,30}")), max_size=6
    )
)
@settings(max_examples=300)
@pytest.mark.slow
def test_V10_parsing_raises_nothing_but_a_problem(params):
    try:
        query: ListQuery | None = parse(spec_of(RICH), params)
        problem = None
    except Problem as refused:
        query, problem = None, refused
    if query is not None:
        assert len(query.digest()) == 32
        return
    assert problem is not None
    assert problem.status == 422
    assert all(error.parameter is not None and error.code.startswith("query.") for error in problem.errors)
    assert str([error.as_dict() for error in problem.errors]).encode()


@pytest.mark.parametrize(
    ("queries", "message"),
    [
        (
            Queries(filters=["colour"]),
            r"resource 'homes': filters names 'colour', which is no column; it has .*bedrooms",
        ),
        (Queries(filters=["secret"]), r"filters names 'secret', which no caller may read"),
        (Queries(filters=["extra"]), r"filters names 'extra', whose type JSON.* cannot be asked for"),
        (Queries(filters=["bedrooms__like"]), r"no operation 'like'; there are eq, ne"),
        (Queries(filters=["bedrooms__isnull"]), r"bedrooms allows eq, ne, lt"),
        (
            Queries(filters=["plain__contains"]),
            r"plain_key: Mapped\[str\] = folded\('plain', index=True\) to ParseHome",
        ),
        (Queries(filters=["plain__gt"]), r"needs a folded key"),
        (Queries(filters=[Filter({"limit": int}, lambda _: select().exists())]), r"'limit' belongs to every list"),
        (Queries(sort=["plain"]), r"the sort 'plain' needs a folded key"),
        (Queries(sort=["area"]), r"the sort 'area' has no index; add index=True to parse_homes.area"),
        (Queries(sort=["-kind"]), r"cannot sort by 'kind'"),
        (Queries(sort=["-secret"]), r"sort names 'secret', which no caller may read"),
        (Queries(sort=["distance"]), r"needs Queries\(geo=Geo\(\)\)"),
        (Queries(search=["title", "plain"]), r"search: Mapped\[str\] = search_document\('title', 'plain'\)"),
        (Queries(geo=Geo("lat", "longitude")), r"geo names 'lat', which is no column"),
        (Queries(geo=Geo("title", "longitude")), r"holds no degrees"),
        (Queries(geo=Geo("longitude", "latitude")), r"index that starts with longitude"),
        (Queries(expand=["landlord"]), r"expand names 'landlord', which is no relationship; it has owner"),
        (Queries(facets=["secret"]), r"facets names 'secret'"),
        (Queries(facets=[Ranges("kind", [1])]), r"ranges of 'kind', which is neither a number nor a day"),
        (Queries(facets=[Ranges("bedrooms", [2, 1])]), r"each larger than the one before"),
        (Queries(sort=["relevance"]), r"needs Queries\(search=\[...\]\)"),
        (Queries(page_size=0), r"page_size"),
        (Queries(page_size=200), r"page_size"),
    ],
)
def test_a_wrong_declaration_stops_the_start_with_the_remedy(queries, message):
    with pytest.raises(ConfigurationError, match=message) as refused:
        spec_of(queries)
    assert str(refused.value).startswith("resource 'homes': ")


class ParseWrong(Local):
    name_key: Mapped[str] = folded("nmae")
    name: Mapped[str]


def test_a_key_derived_from_no_column_stops_the_start():
    with pytest.raises(ConfigurationError, match=r"parse_wrongs\.name_key is derived from 'nmae', which is no column"):
        build_spec(Resource(ParseWrong, access=Access(read=anyone)), derive_read(ParseWrong))


def test_expanding_what_has_no_resource_stops_the_start():
    resource = Resource(ParseHome, access=Access(read=anyone), queries=Queries(expand=["owner"]))
    with pytest.raises(ConfigurationError, match="ParseOwner has no Resource"):
        build_spec(resource, READ)


def test_a_field_that_nobody_reads_stops_the_start():
    with pytest.raises(ConfigurationError, match="'bedrooms', which no caller may read"):
        spec_of(Queries(filters=["bedrooms"]), read_fields={"bedrooms": nobody})
    assert "bedrooms" not in spec_of(read_fields={"bedrooms": nobody}).filters


def test_defaults_cover_every_readable_scalar():
    spec = spec_of()
    assert set(spec.sorts) == {"id", "title", "bedrooms", "price", "latitude", "created_at"}
    assert {"plain", "plain__ne", "plain__in", "title__gte", "title__contains", "kind__in"} <= set(spec.filters)
    assert not {"secret", "extra", "plain__gt", "title_key", "row_version", "is_open__gt"} & set(spec.filters)


def test_kinds():
    fields: dict[str, FieldSpec] = dict(spec_of().fields)
    assert {name: field.kind for name, field in fields.items() if name in {"kind", "word", "area", "naive_at"}} == {
        "kind": Kind.CHOICE,
        "word": Kind.CHOICE,
        "area": Kind.FLOAT,
        "naive_at": Kind.NAIVE_INSTANT,
    }


def test_a_conflict_in_a_filter_is_not_swallowed():
    def clause(given: Any) -> Any:
        raise Conflict

    with pytest.raises(Conflict):
        ask(("x", "1"), queries=Queries(filters=[Filter({"x": int}, clause)]))
