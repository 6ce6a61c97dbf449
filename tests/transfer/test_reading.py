"""Files as they come: encodings, quotes, lengths, ragged rows. Whatever it is, each record is read or refused alone."""

from __future__ import annotations

import codecs
import gzip
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from freehold.resource.record import Record
from freehold.transfer import Unreadable, csv_records, json_records
from freehold.transfer.cells import cell, guarded, json_types, unguarded, value_of
from freehold.transfer.source import LONGEST_LINE, Source, format_of, lines
from freehold.web.body import parse

UTF8 = "is not in the encoding of the file (UTF-8 unless said otherwise)"


def read(path: Path, data: bytes, **known: Any) -> list[Record]:
    path.write_bytes(data)
    source = Source(path, known.pop("format", "csv"), **known)
    source.check()
    with source.text() as text:
        if source.format == "jsonl":
            return list(json_records.records(lines(text), parse=parse))
        return list(csv_records.records(lines(text), delimiter=source.delimiter))


def told(records: list[Record]) -> list[Any]:
    """Line and values, or the reason against it."""
    return [(each.line, each.remarks[0].message if each.is_refused else dict(each)) for each in records]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "file"


@pytest.mark.parametrize(
    "data",
    [
        "a,b\n1,é\n".encode(),
        codecs.BOM_UTF8 + "a,b\n1,é\n".encode(),
        "a;b\r\n1;é".encode(),
        "a\tb\r1\té\r".encode(),
        "a,b\n1,é\n".encode("utf-16"),
        gzip.compress(b'\n\n"a","b"\n'[2:] + '1,"é"\n\n'.encode()),
    ],
    ids=["plain", "marked", "semicolons", "tabs", "utf-16", "packed"],
)
def test_spellings_of_one_file(path: Path, data: bytes) -> None:
    assert told(read(path, data)) == [(2, {"a": "1", "b": "é"})]


def test_an_encoding_that_was_not_said_refuses_its_rows_alone(path: Path) -> None:
    data = "a,b\nx,é\ny,e\n".encode("latin-1")
    assert told(read(path, data)) == [(2, UTF8), (3, {"a": "y", "b": "e"})]
    assert told(read(path, data, encoding="latin-1"))[0] == (2, {"a": "x", "b": "é"})
    for wrong in ("klingon", "hex"):
        with pytest.raises(Unreadable, match="There is no encoding"):
            read(path, data, encoding=wrong)


def test_quotes_line_breaks_and_ragged_rows(path: Path) -> None:
    data = b'a,b\n"1\n2","x ""y"", z"\nonly\n1,2,3\n\n"a"b,2\n4,5\n'
    assert told(read(path, data)) == [
        (2, {"a": "1\n2", "b": 'x "y", z'}),
        (4, "has 1 cells, where the first line has 2"),
        (5, "has 3 cells, where the first line has 2"),
        (7, "has a stray quote"),
        (8, {"a": "4", "b": "5"}),
    ]


def test_a_quote_that_is_never_closed_costs_one_line(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(csv_records, "LONGEST_LINE", 1_000)
    rows = b"".join(b"%d,x\n" % number for number in range(3, 3_000))
    found = read(path, b'a,b\n2,"open\n' + rows)
    assert told(found[:2]) == [(2, "has a quote that is never closed"), (3, {"a": "3", "b": "x"})]
    assert len(found) == 1 + 2_997


def test_a_field_of_ten_megabytes_is_refused_and_the_next_row_read(path: Path) -> None:
    wide = b"x" * 10_000_000
    longest = f"is longer than {LONGEST_LINE} characters"
    for large in (wide, b'"' + wide + b'"'):
        assert told(read(path, b"a,b\n1," + large + b"\n2,y\n")) == [(2, longest), (3, {"a": "2", "b": "y"})]
    data = b'{"a": "' + wide + b'"}\n{"a": 1}\n'
    assert told(read(path, data, format="jsonl")) == [(1, longest), (2, {"a": 1})]


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"a,a\n1,2\n", "each column once"),
        (b"a,\n1,2\n", "empty name"),
        (b'"a\n', "never closed"),
        (b"\xff,a\n", "not UTF-8"),
    ],
)
def test_a_first_line_that_names_no_columns_is_refused(path: Path, data: bytes, said: str) -> None:
    with pytest.raises(Unreadable, match=said):
        read(path, data)


def test_a_damaged_archive_is_refused(path: Path) -> None:
    with pytest.raises(Unreadable, match="damaged"):
        read(path, gzip.compress(b"a,b\n" + b"1,2\n" * 10_000)[:-20])
    with pytest.raises(Unreadable, match="delimiter"):
        read(path, b"a", delimiter="::")
    assert read(path, b"") == []


def test_json_lines_are_read_as_strictly_as_a_body(path: Path) -> None:
    data = b'{"a": 1}\n\n[1]\n{"a": 1, "a": 2}\n{"a": NaN}\n{"a": "\xe9"}\n{"a": "\\u0000"}\n' + b"[" * 100 + b"\n"
    found = told(read(path, data, format="jsonl"))
    assert found[0] == (1, {"a": 1})
    assert [line for line, said in found[1:]] == [3, 4, 5, 6, 7, 8]
    assert [said for _, said in found[1:]] == [
        "is no JSON object",
        "is not taken as JSON: An object in the body gives a name twice.",
        "is not taken as JSON: The body is not JSON: see line 1, column 7.",
        UTF8,
        "is not taken as JSON: Text should hold no control characters, nor any that turn its direction",
        "is not taken as JSON: The body is nested deeper than 64 levels.",
    ]


@settings(max_examples=50)
@given(st.text(alphabet="'=+-@\t\ra1 ") | st.text())
def test_no_spreadsheet_computes_a_cell_and_nothing_is_lost(text: str) -> None:
    shown = guarded(text)
    assert not shown.startswith(("=", "+", "-", "@", "\t", "\r"))
    assert unguarded(shown) == text
    assert unguarded(text) in (text, text[1:])


SIMPLE = st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.text(max_size=5)
FLOATS = st.floats(allow_nan=False, allow_infinity=False)


@settings(max_examples=50)
@given(st.lists(SIMPLE, max_size=3) | st.integers(-(2**63), 2**63 - 1) | FLOATS | st.booleans())
def test_a_value_comes_back_from_its_cell(value: Any) -> None:
    kind = {bool: "boolean", int: "integer", float: "number", list: "array"}[type(value)]
    assert value_of(cell(value), {kind, "null"}) == json.loads(json.dumps(value))


def test_text_that_is_no_value_of_the_field_stays_text_for_the_schema_to_refuse() -> None:
    for text, kind in (("1.0", "integer"), ("1e3", "integer"), ("01", "number"), ("yes", "boolean"), ("[1", "array")):
        assert value_of(text, {kind}) == text
    assert json_types(
        {"properties": {"a": {"anyOf": [{"type": "integer"}, {"$ref": "#/$defs/B"}]}}, "$defs": {"B": {"enum": ["x"]}}}
    ) == {"a": {"integer", "string"}}


@pytest.mark.parametrize(
    ("name", "expected"),
    [("a.csv", "csv"), ("a.CSV.gz", "csv"), ("b.ndjson", "jsonl"), ("c.jsonl.gz", "jsonl"), ("x.gz", None)],
)
def test_the_name_of_a_file_tells_its_format(name: str, expected: str | None) -> None:
    assert format_of(name) == expected
