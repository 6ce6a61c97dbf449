"""Schemas derived from a model: strict on what is sent, plain on what is shown."""

from __future__ import annotations

import enum
import json
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Annotated, Any
from uuid import UUID

import pytest
import sqlalchemy as sa
from pydantic import MISSING, BaseModel, ConfigDict, EmailStr, Field, ValidationError, field_validator, model_validator
from sqlalchemy.orm import Mapped, mapped_column
from tests.bases import SchemaBase as Base

from freehold.errors import ConfigurationError
from freehold.fields import folded
from freehold.resource.schemas import derive_create, derive_read, derive_update, partial


class Binding(enum.Enum):
    PAPER = "paper"
    CLOTH = "cloth"


Year = Annotated[int, Field(ge=1450, le=2100)]


class SchemaBook(Base):
    title: Mapped[str] = mapped_column(sa.String(30))
    summary: Mapped[str]
    year: Mapped[Year]
    pages: Mapped[int | None]
    copies: Mapped[int] = mapped_column(sa.BigInteger, default=1)
    binding: Mapped[Binding] = mapped_column(default=Binding.PAPER)
    price: Mapped[Decimal] = mapped_column(sa.Numeric(8, 2))
    weight: Mapped[float]
    in_print: Mapped[bool]
    published_at: Mapped[datetime]
    acquired_on: Mapped[date] = mapped_column(default=date.today)
    extra: Mapped[dict[str, Any]] = mapped_column(sa.JSON)
    contact: Mapped[str] = mapped_column(info={"schema": EmailStr}, doc="Who to ask")
    owner_id: Mapped[UUID]
    title_key: Mapped[str] = folded("title")


OWNED = frozenset({"owner_id"})
Create = derive_create(SchemaBook, server_owned=OWNED)
Update = derive_update(SchemaBook, server_owned=OWNED)
Read = derive_read(SchemaBook)
GOOD: dict[str, Any] = {
    "title": "Dune",
    "summary": "Sand.\nMore sand.",
    "year": 1965,
    "price": "9.99",
    "weight": 1,
    "in_print": True,
    "published_at": "2024-05-01T12:00:00+02:00",
    "extra": {"a": [1, None]},
    "contact": "a@example.org",
}


def faults(schema: type[BaseModel], **fields: Any) -> list[tuple[str, str]]:
    with pytest.raises(ValidationError) as caught:
        schema.model_validate_json(json.dumps(fields), strict=True)
    return [(".".join(map(str, fault["loc"])), fault["type"]) for fault in caught.value.errors()]


def test_Z04_the_server_s_columns_are_not_among_the_inputs() -> None:
    ours = {"id", "created_at", "updated_at", "row_version", "owner_id", "title_key"}
    assert not ours & set(Create.model_fields)
    assert not ours & set(Update.model_fields)
    assert faults(Update, owner_id="x", id="y") == [("owner_id", "extra_forbidden"), ("id", "extra_forbidden")]


def test_a_good_body_becomes_typed_values() -> None:
    book: Any = Create.model_validate_json(json.dumps(GOOD), strict=True)
    assert (book.price, book.weight, book.binding, book.copies) == (Decimal("9.99"), 1.0, Binding.PAPER, 1)
    assert book.published_at == datetime(2024, 5, 1, 10, tzinfo=UTC)
    assert book.published_at.tzinfo is UTC
    assert book.pages is None
    assert book.acquired_on is MISSING
    assert "acquired_on" not in book.model_dump()


@pytest.mark.parametrize(
    ("field", "value", "kind"),
    [
        ("title", "x" * 31, "string_too_long"),
        ("title", "two\nlines", "string_pattern_mismatch"),
        ("title", 7, "string_type"),
        ("summary", "x" * 10_001, "string_too_long"),
        ("summary", "nul\x00", "string_pattern_mismatch"),
        ("summary", "c1\x85", "string_pattern_mismatch"),
        ("year", 1449, "greater_than_equal"),
        ("year", True, "int_type"),
        ("year", 1965.0, "int_type"),
        ("year", "1965", "int_type"),
        ("pages", 2**31, "less_than_equal"),
        ("copies", 2**63, "less_than_equal"),
        ("binding", "stone", "enum"),
        ("price", "1.999", "decimal_max_places"),
        ("price", "1234567.00", "decimal_whole_digits"),
        ("price", "NaN", "finite_number"),
        ("price", "1e1000000", "decimal_max_digits"),
        ("price", True, "decimal_type"),
        ("weight", "1", "float_type"),
        ("in_print", 0, "bool_type"),
        ("in_print", "true", "bool_type"),
        ("published_at", "2024-05-01T12:00:00", "datetime_parsing"),
        ("published_at", "1714557600", "datetime_parsing"),
        ("published_at", 1714557600, "datetime_type"),
        ("published_at", "2024-02-30T00:00:00Z", "datetime_parsing"),
        ("published_at", "2016-12-31T23:59:60Z", "datetime_parsing"),
        ("published_at", "0000-01-01T00:00:00Z", "datetime_parsing"),
        ("published_at", "10000-01-01T00:00:00Z", "datetime_parsing"),
        ("published_at", "0001-01-01T00:00:00+14:00", "datetime_range"),
        ("published_at", "2024-05-01T12:00:00.1234567Z", "datetime_parsing"),
        ("acquired_on", "2024-02-30", "date_parsing"),
        ("acquired_on", "2024-W01-1", "date_type"),
        ("acquired_on", "19000", "date_type"),
        ("contact", "nobody", "value_error"),
        ("title", None, "string_type"),
        ("colour", "red", "extra_forbidden"),
    ],
)
def test_V05_V06_V09_what_does_not_fit_is_refused(field: str, value: Any, kind: str) -> None:
    assert faults(Create, **{**GOOD, field: value}) == [(field, kind)]
    assert faults(Update, **{field: value}) == [(field, kind)]


def test_V09_numbers_and_instants_at_their_edges_are_exact() -> None:
    body = {**GOOD, "copies": 2**63 - 1, "pages": -(2**31), "published_at": "9999-12-31t23:59:59.999999z"}
    book: Any = Create.model_validate_json(json.dumps(body), strict=True)
    assert (book.copies, book.pages) == (2**63 - 1, -(2**31))
    assert book.published_at == datetime(9999, 12, 31, 23, 59, 59, 999999, tzinfo=UTC)


def test_X04_an_update_tells_absent_from_null() -> None:
    empty: Any = Update.model_validate_json("{}", strict=True)
    assert empty.model_fields_set == set()
    assert empty.title is MISSING
    assert empty.model_dump() == {}
    cleared: Any = Update.model_validate_json('{"pages": null}', strict=True)
    assert cleared.model_dump() == {"pages": None}


def test_the_same_values_are_taken_from_python() -> None:
    at = datetime(2024, 5, 1, tzinfo=timezone(timedelta(hours=2)))
    book: Any = Create(**{**GOOD, "published_at": at, "acquired_on": date(2024, 5, 1)})
    assert book.published_at.utcoffset() == timedelta(0)
    assert json.loads(book.model_dump_json())["published_at"] == "2024-04-30T22:00:00Z"


def test_a_row_is_shown_in_column_order_with_utc_instants() -> None:
    assert list(Read.model_fields)[:3] == ["id", "title", "summary"]
    assert list(Read.model_fields)[-2:] == ["created_at", "updated_at"]
    assert "row_version" not in Read.model_fields
    assert "title_key" not in Read.model_fields
    at = datetime(2024, 5, 1, tzinfo=UTC)
    row = SchemaBook(
        **{**GOOD, "published_at": at, "price": Decimal("9.90"), "binding": Binding.CLOTH},
        id=UUID(int=1), copies=1, acquired_on=at.date(), owner_id=UUID(int=2), created_at=at, updated_at=at,
    )  # fmt: skip
    shown = json.loads(Read.model_validate(row).model_dump_json())
    assert shown["published_at"] == "2024-05-01T00:00:00Z"
    assert (shown["price"], shown["binding"]) == ("9.90", "cloth")


def test_Z05_hidden_columns_are_not_shown() -> None:
    assert "contact" not in derive_read(SchemaBook, hidden=frozenset({"contact"})).model_fields


@pytest.mark.parametrize("schema", [Create, Update])
def test_the_documented_example_can_be_sent(schema: type[BaseModel]) -> None:
    shown = schema.model_json_schema()
    assert shown["title"] == schema.__name__
    schema.model_validate_json(json.dumps(shown["examples"][0]), strict=True)
    assert shown["properties"]["contact"]["description"] == "Who to ask"
    assert shown["properties"]["title"]["maxLength"] == 30
    assert schema is Create or "required" not in shown


class Draft(BaseModel):
    model_config = ConfigDict(extra="forbid")
    name: Annotated[str, Field(max_length=5)]
    low: int
    high: int | None = None

    @field_validator("name")
    @classmethod
    def _no_shouting(cls, value: str) -> str:
        if value.isupper():
            raise ValueError("no shouting")
        return value

    @model_validator(mode="after")
    def _in_order(self) -> Draft:
        if self.high is not None and self.high < self.low:
            raise ValueError("high is below low")
        return self


def test_a_partial_schema_keeps_constraints_and_field_validators() -> None:
    change = partial(Draft)
    assert change.__name__ == "Update"
    assert faults(change, name="LOUD") == [("name", "value_error")]
    assert faults(change, name="longer") == [("name", "string_too_long")]
    assert faults(change, low=None) == [("low", "int_type")]
    assert faults(change, other=1) == [("other", "extra_forbidden")]
    assert change.model_validate_json('{"high": 1}', strict=True).model_dump() == {"high": 1}


def test_a_column_of_an_unknown_type_stops_the_start_with_its_name() -> None:
    class Odd(sa.types.UserDefinedType[Any]):
        pass

    class OddlyTyped(Base):
        shape: Mapped[Any] = mapped_column(Odd())

    with pytest.raises(ConfigurationError, match=r"OddlyTyped\.shape"):
        derive_create(OddlyTyped)


class Stringy(sa.TypeDecorator[str]):
    impl = sa.String(5)
    cache_ok = True


class SchemaShelf(Base):
    code: Mapped[str] = mapped_column(sa.String(4), primary_key=True)
    id: Mapped[int] = mapped_column(sa.Integer, default=1)  # type: ignore[assignment]  # an id of another kind
    state: Mapped[str] = mapped_column(sa.Enum("open", "shut", name="shelf_state"))
    size: Mapped[float] = mapped_column(sa.Numeric(6, 2, asdecimal=False))
    rough: Mapped[Decimal] = mapped_column(sa.Numeric())
    seen_at: Mapped[datetime] = mapped_column(sa.DateTime())
    labels: Mapped[list[str]] = mapped_column(sa.ARRAY(sa.String(3)))
    decorated: Mapped[str] = mapped_column(Stringy())
    image: Mapped[bytes | None]
    note: Mapped["str | None"]  # noqa: UP037  # a name within a name


SHELF: dict[str, Any] = {
    "code": "A-1", "state": "open", "size": 1.5, "rough": "12.5", "seen_at": "2024-05-01T12:00:00", "labels": ["abc"],
    "decorated": "x", "image": "aGk=",
}  # fmt: skip


def test_a_natural_key_is_sent_on_creation_and_never_changed() -> None:
    assert "code" in derive_create(SchemaShelf).model_fields
    assert "code" not in derive_update(SchemaShelf).model_fields


def test_the_less_common_types_have_schemas_too() -> None:
    shelf: Any = derive_create(SchemaShelf).model_validate_json(json.dumps(SHELF), strict=True)
    assert (shelf.image, shelf.rough, shelf.labels) == (b"hi", Decimal("12.5"), ["abc"])
    assert next(iter(derive_read(SchemaShelf).model_fields)) == "code"


@pytest.mark.parametrize(
    ("field", "value", "kind"),
    [
        ("code", "ABCDE", "string_too_long"),
        ("state", "ajar", "enum"),
        ("rough", "1" * 29, "decimal_max_digits"),
        ("seen_at", "2024-05-01T12:00:00Z", "timezone_naive"),
        ("labels", ["abcd"], "string_too_long"),
        ("decorated", "x" * 6, "string_too_long"),
    ],
)
def test_the_less_common_types_are_bounded(field: str, value: Any, kind: str) -> None:
    place = f"{field}.0" if field == "labels" else field
    assert faults(derive_create(SchemaShelf), **{**SHELF, field: value}) == [(place, kind)]
