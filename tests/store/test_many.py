"""An insert for many rows: the text keeps its rule, and each row its own values."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import CHAR, BigInteger, Float, Numeric, String, Text, Uuid
from sqlalchemy.types import TypeEngine

from freehold.store.many import PATIENCE_MS, _is_kept, written

ONE = (
    "WITH fh_part_0 AS \n(INSERT INTO records (id, told) VALUES ($1::UUID, $2::JSON)), \nfh_row AS \n"
    "(INSERT INTO t (id, kind, words) VALUES ($1::UUID, '$4', $3) RETURNING t.id, t.owner)\n"
    " SELECT fh_row.id AS id, fh_row.owner = $4::UUID AS fh_seen \nFROM fh_row"
)
TYPES = ["UUID", "JSON", "TSVECTOR", "UUID"]


class TestWritten:
    def test_values_become_columns_of_a_table_that_every_part_reads(self) -> None:
        sql = ONE.replace("'$4', ", "")
        assert written(sql, TYPES, {"id": 0}) == (
            f"WITH fh_given AS MATERIALIZED (SELECT fh_each.* FROM set_config('lock_timeout', '{PATIENCE_MS}', true), "
            "unnest($1::UUID[], $2::JSON[], $3::TSVECTOR[], $4::UUID[]) WITH ORDINALITY AS fh_each(v0, v1, v2, v3, n)), "
            "fh_part_0 AS \n(INSERT INTO records (id, told) SELECT fh_given.v0, fh_given.v1::JSON FROM fh_given), \n"
            "fh_row AS \n(INSERT INTO t (id, kind, words) SELECT fh_given.v0, fh_given.v2 FROM fh_given "
            "RETURNING t.id, t.owner)\n SELECT fh_row.id AS id, fh_row.owner = fh_given.v3 AS fh_seen, fh_given.n \n"
            "FROM fh_row JOIN fh_given ON fh_given.v0 = fh_row.id"
        )

    @pytest.mark.parametrize("text", ["'$4'", "'it''s'", "''"])
    def test_a_text_among_the_values_stays_as_it_is(self, text: str) -> None:
        found = written(ONE.replace("'$4'", text), TYPES, {"id": 0})
        assert found is not None
        assert f"SELECT fh_given.v0, {text}, fh_given.v2 FROM fh_given RETURNING" in found

    @pytest.mark.parametrize(
        ("sql", "types"),
        [
            (ONE.replace("'$4'", "'a (b)'"), TYPES),  # a text among the values that might end them
            (ONE.replace("'$4', ", "now(), "), TYPES),
            (ONE.replace("'$4', ", "") + " -- $1", TYPES),
            (ONE.replace("'$4', ", "") + " JOIN t ON true", TYPES),
            (ONE.replace("'$4', ", "").removeprefix("WITH "), TYPES),
            (ONE.replace("'$4', ", ""), [*TYPES[:2], None, "UUID"]),  # of what nobody knows
            (ONE.replace("'$4', ", "").replace("$3", "$3::TEXT[]"), [*TYPES[:2], None, "UUID"]),  # an array of arrays
            (ONE.replace("'$4', ", "").replace("$3", "$3::FLOAT(24)"), [*TYPES[:2], None, "UUID"]),
        ],
    )
    def test_gives_up_on_what_it_cannot_read_for_certain(self, sql: str, types: list[str | None]) -> None:
        assert written(sql, types, {"id": 0}) is None


@pytest.mark.parametrize(
    ("type_", "is_kept"),
    [
        (Uuid(), True),
        (BigInteger(), True),
        (Text(), True),
        (Numeric(10, 2), False),  # rounded
        (Float(), False),
        (String(20), False),  # spaces past its end are cut off
        (CHAR(), False),
    ],
)
def test_rows_are_told_apart_only_by_keys_that_stay_as_they_were_sent(type_: TypeEngine[Any], is_kept: bool) -> None:
    assert _is_kept(type_) is is_kept
