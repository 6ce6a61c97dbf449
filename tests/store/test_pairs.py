"""Many point reads in one statement: the text keeps its rule, and each pair its own values."""

from __future__ import annotations

import pytest

from freehold.store.pairs import paired


class TestPaired:
    def test_replaces_the_values_that_vary_and_numbers_the_others_anew(self) -> None:
        found = paired(
            "SELECT t.a FROM t WHERE t.kind = $1::VARCHAR AND t.owner = $2::UUID AND t.id = $3::UUID", {1, 2}
        )
        assert found is not None
        assert found.sql == (
            "SELECT fh_read.*, fh_pair.n FROM unnest($1::UUID[], $2::UUID[]) WITH ORDINALITY AS fh_pair(v0, v1, n) "
            "CROSS JOIN LATERAL (SELECT t.a FROM t WHERE t.kind = $3::VARCHAR AND t.owner = fh_pair.v0::UUID "
            "AND t.id = fh_pair.v1::UUID) AS fh_read"
        )
        assert found.arguments([["k", "ada", 1], ["k", "bob", 2]]) == [["ada", "bob"], [1, 2], "k"]

    def test_leaves_what_only_looks_like_a_value(self) -> None:
        found = paired("""SELECT '$1', "a$1" FROM t WHERE id = $1::INTEGER""", {0})
        assert found is not None
        assert """SELECT '$1', "a$1" FROM t WHERE id = fh_pair.v0::INTEGER""" in found.sql

    def test_one_value_may_stand_in_several_places(self) -> None:
        found = paired("SELECT 1 FROM t WHERE a = $1::UUID OR b = $1::UUID OR id = $2::BIGINT", {0, 1})
        assert found is not None
        assert found.sql.count("fh_pair.v0::UUID") == 2

    @pytest.mark.parametrize(
        "sql",
        [
            "SELECT 1 FROM t WHERE id = $1",  # of no type
            "SELECT 1 FROM t WHERE id = ANY ($1::UUID[])",  # an array of arrays
            "SELECT 1 FROM t WHERE id = $1::FLOAT(24)",
            r"SELECT E'\'$1' FROM t WHERE id = $1::UUID",
            "SELECT $x$ $1 $x$ FROM t WHERE id = $1::UUID",
            "SELECT 1 FROM t WHERE id = $1::UUID -- $1",
            "SELECT 1 FROM t",
        ],
    )
    def test_gives_up_on_a_text_that_it_cannot_read_for_certain(self, sql: str) -> None:
        assert paired(sql, {0}) is None
