"""The frozen file: small, stable, readable, a valid document, and each place of it on a line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from openapi_spec_validator import validate
from tests.contract.shop import SHOP, changed

from freehold.contract import compare, normalised, read, rendered, write
from freehold.contract.files import line_of, lines_of
from freehold.errors import ConfigurationError


def test_the_normal_form_is_its_own_and_a_valid_document() -> None:
    normal = normalised(SHOP)
    assert normalised(normal) == normal
    assert compare(SHOP, normal) == []
    validate(normal)


def test_the_order_in_which_things_were_declared_leaves_the_bytes_alone() -> None:
    turned = json.loads(json.dumps(SHOP), object_pairs_hook=lambda pairs: dict(reversed(pairs)))
    assert rendered(turned) == rendered(SHOP)


def test_what_is_said_often_stands_once() -> None:
    normal = normalised(SHOP)
    assert normal["paths"]["/v1/books"]["get"]["responses"]["422"] == {"$ref": "#/components/responses/Status422"}
    assert normal["paths"]["/v1/books/{id}"]["get"]["parameters"] == [{"$ref": "#/components/parameters/id"}]


def test_each_place_is_on_its_line(tmp_path: Path) -> None:
    path = tmp_path / "contract.json"
    write(path, SHOP)
    lines = path.read_text().splitlines()
    numbers = lines_of(path)
    for pointer, said in {
        "/components/schemas/BookDraft/properties/isbn": '"isbn": {"pattern": "^[0-9]{13}$", "type": "string"},',
        "/paths/~1v1~1books~1{id}/get/responses/404": '"404": {"$ref": "#/components/responses/Status404"}',
        "/components/schemas/BookDraft/properties/isbn/pattern": '"isbn": {"pattern": "^[0-9]{13}$", "type": "string"},',
    }.items():
        line = line_of(pointer, numbers)
        assert line is not None
        assert lines[line - 1].strip() == said
    assert max(map(len, lines)) <= 120
    assert read(path) == normalised(SHOP)


def test_a_file_of_another_layout_has_no_lines(tmp_path: Path) -> None:
    path = tmp_path / "openapi.json"
    path.write_text(json.dumps(SHOP))
    assert lines_of(path) == {}
    assert line_of("/paths", {}) is None


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("{", "cannot be read as JSON"),
        ("[]", "is no OpenAPI document"),
        ('{"swagger": "2.0"}', "is no OpenAPI document"),
    ],
)
def test_what_is_no_document_is_refused(tmp_path: Path, text: str, told: str) -> None:
    path = tmp_path / "openapi.json"
    path.write_text(text)
    with pytest.raises(ConfigurationError, match=told):
        read(path)


def test_one_that_cannot_be_understood_is_refused_and_not_a_traceback() -> None:
    round_in_a_circle = {"anyOf": [{"$ref": "#/components/schemas/Paper"}]}
    for edit in (
        {"/paths/~1v1~1books/get/parameters/0": {"in": "query"}},
        {"/info": "x"},
        {"/components/schemas/Paper": round_in_a_circle},
        {"/components/schemas/Paper": {"type": 5}},
        {"/components/schemas/BookDraft/properties/title/maxLength": "long"},
    ):
        with pytest.raises(ConfigurationError, match="not a valid OpenAPI document"):
            compare(SHOP, changed(edit))


def test_a_reference_that_leads_nowhere_is_named() -> None:
    away = changed({"/paths/~1v1~1books/post/responses/201": {"$ref": "other.json#/Book"}})
    with pytest.raises(ConfigurationError, match=r"responses/201 .* refers to other.json#/Book"):
        compare(SHOP, away)
