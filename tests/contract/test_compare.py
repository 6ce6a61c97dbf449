"""The corpus: each kind of change, labelled. Every break is caught, no safe change is blocked (N05, I3)."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import pytest
from tests.contract.shop import GONE, SHOP, changed

from freehold.contract import Severity, compare
from freehold.contract.rules import RULES

BOOKS = "/paths/~1v1~1books"
BOOK = "/paths/~1v1~1books~1{id}"
DRAFT = "/components/schemas/BookDraft"
READ = "/components/schemas/BookRead"
QUERY = f"{BOOKS}/get/parameters"
BODY = f"{BOOKS}/post/requestBody"
LIST = f"{BOOKS}/get/responses/200"
TEXT = {"type": "string"}
NEW_OPERATION = {"operationId": "new", "responses": {"200": {"description": ""}}}
BOOK_ANSWER = SHOP["paths"]["/v1/books"]["post"]["responses"]["201"]


def parameter(name: str, kind: str = "query", **more: Any) -> dict[str, Any]:
    return {"name": name, "in": kind, "schema": TEXT, **more}


# code of the finding -> the changes that give it. Its severity is that of the rule; each is the worst of its change.
CORPUS: dict[str, list[dict[str, Any]]] = {
    "operation.removed": [{f"{BOOKS}/post": GONE}, {BOOK: GONE}],
    "operation.retired": [{f"{BOOK}/delete": GONE}],
    "operation.added": [{f"{BOOKS}/delete": NEW_OPERATION}, {"/paths/~1v2~1books": {"get": NEW_OPERATION}}],
    "operation.deprecated": [{f"{BOOKS}/get/deprecated": True}],
    "operation.revived": [{f"{BOOK}/delete/deprecated": GONE}],
    "operation.renamed": [{f"{BOOKS}/get/operationId": "books"}],
    "parameter.removed": [{f"{QUERY}/0": GONE}],
    "parameter.ignored": [{f"{QUERY}/4": GONE}],
    "parameter.added": [
        {f"{QUERY}/-": parameter("year")},
        {f"{QUERY}/-": parameter("If-Match", "header")},
        {f"{BOOKS}/post/parameters": [parameter("dry")]},
    ],
    "parameter.added_required": [
        {f"{QUERY}/-": parameter("year", required=True)},
        {f"{QUERY}/-": parameter("X-Tenant", "header", required=True)},
    ],
    "parameter.required": [{f"{QUERY}/0/required": True}],
    "parameter.style": [{f"{QUERY}/1/explode": False}],
    "body.added_required": [{f"{BOOK}/delete/requestBody": {"required": True, "content": {"text/plain": {}}}}],
    "body.added": [{f"{BOOK}/delete/requestBody": {"content": {"text/plain": {}}}}],
    "body.removed": [{BODY: GONE}],
    "body.optional": [{f"{BODY}/required": False}],
    "body.media_type_removed": [{f"{BODY}/content/application~1x-www-form-urlencoded": GONE}],
    "body.media_type_added": [{f"{BODY}/content/text~1csv": {"schema": TEXT}}],
    "answer.status_removed": [
        {f"{BOOKS}/post/responses/201": GONE},
        {f"{BOOKS}/post/responses/201": GONE, f"{BOOKS}/post/responses/200": BOOK_ANSWER},
        {f"{BOOK}/delete/responses/204": GONE, f"{BOOK}/delete/responses/200": BOOK_ANSWER},
    ],
    "answer.status_added": [{f"{BOOKS}/post/responses/202": BOOK_ANSWER}],
    "answer.error_removed": [{f"{BOOKS}/post/responses/422": GONE}],
    "answer.error_added": [{f"{BOOKS}/post/responses/409": {"description": ""}}],
    "answer.media_type_removed": [{f"{LIST}/content/text~1csv": GONE}],
    "answer.media_type_added": [{f"{LIST}/content/text~1plain": {"schema": TEXT}}],
    "answer.body_added": [{f"{BOOK}/delete/responses/204": BOOK_ANSWER}],
    "answer.header_removed": [{f"{LIST}/headers/Link": GONE}],
    "answer.header_added": [{f"{LIST}/headers/ETag": {"schema": TEXT}}],
    "security.required": [{f"{BOOKS}/get/security": [{"bearer": []}]}, {"/security": [{"key": []}]}],
    "security.scheme_removed": [{f"{BOOKS}/post/security/1": GONE}],
    "security.scope_added": [{f"{BOOKS}/post/security/0": {"bearer": ["books", "write"]}}],
    "security.opened": [{f"{BOOKS}/post/security": []}, {f"{BOOKS}/post/security/-": {}}],
    "security.widened": [
        {
            "/components/securitySchemes/basic": {"type": "http", "scheme": "basic"},
            f"{BOOKS}/post/security/-": {"basic": []},
        }
    ],
    "request.field_added": [{f"{DRAFT}/properties/subtitle": TEXT}],
    "request.field_added_required": [
        {f"{DRAFT}/properties/subtitle": TEXT, f"{DRAFT}/required": ["title", "subtitle"]}
    ],
    "request.field_required": [{f"{DRAFT}/required": ["title", "year"]}],
    "request.field_optional": [{f"{DRAFT}/required": []}],
    "request.field_refused": [{f"{DRAFT}/properties/isbn": GONE}],
    "request.field_ignored": [{"/components/schemas/ShelfDraft/properties/note": GONE}],
    "request.closed": [{"/components/schemas/ShelfDraft/additionalProperties": False}],
    "request.opened": [{f"{DRAFT}/additionalProperties": GONE}],
    "request.type_changed": [
        {f"{DRAFT}/properties/title": {"type": "integer"}},
        {f"{DRAFT}/properties/out_on/format": "date-time"},
        {f"{BOOK}/get/parameters/0/schema": {"type": "integer"}},
        {f"{DRAFT}/properties/tags/items": {"type": "boolean"}},
    ],
    "request.type_widened": [{f"{QUERY}/2/schema/type": ["integer", "string"]}, {f"{QUERY}/2/schema/type": "number"}],
    "request.null_removed": [{f"{DRAFT}/properties/year": {"type": "integer", "minimum": -3000}}],
    "request.null_added": [
        {f"{DRAFT}/properties/isbn/type": ["string", "null"]},
        {f"{DRAFT}/properties/isbn/nullable": True},
    ],
    "request.values_removed": [
        {f"{DRAFT}/properties/genre/enum": ["prose"]},
        {f"{QUERY}/1/schema/enum": ["prose"]},
        {f"{DRAFT}/properties/title/enum": ["Dune"]},
    ],
    "request.values_added": [{f"{DRAFT}/properties/genre/enum": ["prose", "verse", "drama"]}],
    "request.limit_narrowed": [
        {f"{DRAFT}/properties/title/maxLength": 100},
        {f"{DRAFT}/properties/title/minLength": 2},
        {f"{DRAFT}/properties/tags/maxItems": 4},
        {f"{DRAFT}/properties/tags/uniqueItems": True},
        {f"{DRAFT}/properties/year/anyOf/0/exclusiveMinimum": 0, f"{DRAFT}/properties/year/anyOf/0/minimum": GONE},
        {f"{QUERY}/2/schema/maximum": 50},
        {f"{QUERY}/0/schema/pattern": "^x"},
        {f"{QUERY}/0/schema/format": "email"},
        {f"{QUERY}/3/schema/pattern": "^-?(title)$"},
    ],
    "request.limit_widened": [
        {f"{DRAFT}/properties/title/maxLength": 300},
        {f"{DRAFT}/properties/title/minLength": 0},
        {f"{DRAFT}/properties/isbn/pattern": GONE},
        {f"{QUERY}/2/schema/maximum": GONE},
        {f"{QUERY}/3/schema/pattern": "^-?(title|year|price)$"},
    ],
    "request.limit_changed": [
        {f"{DRAFT}/properties/isbn/pattern": "^97[0-9]{11}$"},
        {f"{QUERY}/3/schema/pattern": "^-?(title|price)$"},
    ],
    "request.default_changed": [{f"{DRAFT}/properties/genre/default": "verse"}, {f"{QUERY}/2/schema/default": 50}],
    "answer.field_removed": [{f"{READ}/properties/pages": GONE}, {"/components/schemas/Paper/properties/weight": GONE}],
    "answer.field_added": [{f"{READ}/properties/isbn": TEXT}],
    "answer.field_optional": [{f"{READ}/required": ["id", "title", "genre", "year", "sequels"]}],
    "answer.field_required": [{f"{READ}/required": ["id", "title", "genre", "year", "sequels", "carrier", "pages"]}],
    "answer.closed": [{f"{READ}/additionalProperties": False}],
    "answer.type_changed": [
        {f"{READ}/properties/pages": TEXT},
        {f"{LIST}/content/application~1json/schema": {"type": "object"}},
        {f"{READ}/properties/id/format": "date"},
    ],
    "answer.type_widened": [
        {f"{READ}/properties/pages/type": "number"},
        {f"{READ}/properties/pages": {"anyOf": [{"type": "integer"}, TEXT]}},
        {f"{READ}/properties/carrier/oneOf/-": {"$ref": "#/components/schemas/Problem"}},
        {f"{READ}/properties/sequels/items": GONE},
    ],
    "answer.type_narrowed": [
        {f"{READ}/properties/price/type": "integer"},
        {f"{READ}/properties/carrier/oneOf/1": GONE},
    ],
    "answer.null_added": [
        {f"{READ}/properties/pages": {"anyOf": [{"type": "integer"}, {"type": "null"}]}},
        {f"{READ}/properties/sequels/items": {"anyOf": [{"$ref": f"#{READ}"}, {"type": "null"}]}},
    ],
    "answer.null_removed": [{f"{READ}/properties/year": {"type": "integer"}}],
    "answer.values_added": [{f"{READ}/properties/genre/enum": ["prose", "verse", "drama"]}],
    "answer.values_removed": [{f"{READ}/properties/genre/enum": ["prose"]}],
    "answer.limit_widened": [{f"{READ}/properties/title/maxLength": 400}],
    "answer.limit_changed": [{f"{READ}/properties/title/maxLength": 200, f"{READ}/properties/id/format": "hash"}],
    "answer.limit_narrowed": [{f"{READ}/properties/title/maxLength": 100}],
}

# The same the other way round: from the changed contract back to the first.
BACK: dict[str, list[dict[str, Any]]] = {
    "parameter.optional": [{f"{QUERY}/0/required": True}],
    "body.required": [{f"{BODY}/required": False}],
    "request.type_narrowed": [
        {f"{QUERY}/2/schema/type": ["integer", "string"]},
        {f"{QUERY}/2/schema/type": "number"},
        {f"{DRAFT}/properties/tags/items": GONE},
    ],
    "request.field_required": [{f"{DRAFT}/required": []}],
    "request.values_removed": [{f"{DRAFT}/properties/genre/enum": ["prose", "verse", "drama"]}],
    "request.closed": [{f"{DRAFT}/additionalProperties": GONE}],
    "answer.opened": [{f"{READ}/additionalProperties": False}],
    "answer.field_removed": [{f"{READ}/properties/isbn": TEXT}],
    "answer.null_removed": [{f"{READ}/properties/pages": {"anyOf": [{"type": "integer"}, {"type": "null"}]}}],
}

CASES = [
    *((code, {}, edits) for code, changes in CORPUS.items() for edits in changes),
    *((code, edits, {}) for code, changes in BACK.items() for edits in changes),
]

# Other spellings of the same contract: nothing that a client can notice.
SAME: list[dict[str, Any]] = [
    {},
    {"/info/title": "Another", f"{BOOKS}/get/summary": "List", f"{DRAFT}/description": "x", f"{DRAFT}/title": "x"},
    {f"{DRAFT}/properties/year": {"type": ["integer", "null"], "minimum": -3000}},
    {f"{DRAFT}/properties/year": {"type": "integer", "nullable": True, "exclusiveMinimum": -3001}},
    {f"{DRAFT}/properties/genre/enum": ["verse", "prose"]},
    {f"{READ}/properties/pages": {"type": "integer", "format": "int64", "minimum": -(2**63), "maximum": 2**63 - 1}},
    {f"{READ}/properties/carrier/oneOf": [{"$ref": f"#/components/schemas/{name}"} for name in ("Audio", "Paper")]},
    {f"{DRAFT}/properties/shelf": {"allOf": [{"$ref": "#/components/schemas/ShelfDraft"}]}},
    {f"{DRAFT}/properties/shelf": SHOP["components"]["schemas"]["ShelfDraft"]},
    {"/components/securitySchemes/bearer": {"type": "oauth2", "flows": {}}},
    {"/paths/~1v1~1books~1{book_id}": SHOP["paths"]["/v1/books/{id}"] | {
        method: SHOP["paths"]["/v1/books/{id}"][method] | {"parameters": [
            {"name": "book_id", "in": "path", "required": True, "schema": TEXT}]}
        for method in ("get", "delete")}, BOOK: GONE},
    {"/components/responses": {"Book": BOOK_ANSWER}, f"{BOOKS}/post/responses/201": {"$ref": "#/components/responses/Book"}},
    {"/components/parameters": {"author": parameter("author") | {"schema": {"type": "string", "maxLength": 80}}},
     f"{QUERY}/0": {"$ref": "#/components/parameters/author"}},
]  # fmt: skip


@pytest.mark.parametrize(("code", "before", "after"), CASES, ids=[f"{n}-{case[0]}" for n, case in enumerate(CASES)])
def test_N05_each_change_is_found_with_its_severity(code: str, before: dict[str, Any], after: dict[str, Any]) -> None:
    findings = compare(changed(before), changed(after))
    assert code in {each.code for each in findings}, [(each.code, each.what) for each in findings]
    worst = findings[0].severity
    assert worst == RULES[code].severity, "nothing worse is found than what was done, and nothing less"
    assert all(each.remedy for each in findings if each.severity is not Severity.SAFE)
    assert any(each.fails for each in findings) is (worst is Severity.BREAKING)


@pytest.mark.parametrize("edits", SAME, ids=range(len(SAME)))
def test_N05_the_same_contract_in_other_words_is_no_change(edits: dict[str, Any]) -> None:
    assert compare(SHOP, changed(edits)) == []
    assert compare(changed(edits), SHOP) == []


def test_the_corpus_holds_every_rule() -> None:
    assert CORPUS.keys() | BACK.keys() == RULES.keys()
    assert len(CASES) >= 60


def test_what_many_operations_share_is_said_once() -> None:
    (finding,) = compare(SHOP, changed({f"{READ}/properties/pages": GONE}))
    assert finding.operations == ("GET /v1/books", "GET /v1/books/{id}", "POST /v1/books")
    assert (finding.what, finding.pointer) == ("BookRead.pages is gone", f"{READ}/properties/pages")


def test_a_schema_that_nests_in_itself_is_held_against_one_that_does_not() -> None:
    tree = {"type": "object", "additionalProperties": {"$ref": "#/components/schemas/Paper"}}
    after = changed({"/components/schemas/Paper": tree, "/components/schemas/Audio": {"type": "array", "items": tree}})
    assert {each.code for each in compare(after, SHOP)} >= {"answer.field_added", "answer.type_changed"}
    assert {each.code for each in compare(SHOP, after)} >= {"answer.field_removed", "answer.type_changed"}
    assert compare(after, after) == []


def test_an_address_that_moved_is_recognised() -> None:
    moved = deepcopy(SHOP)
    moved["paths"] = {path.removeprefix("/v1"): item for path, item in SHOP["paths"].items()}
    found = {each.operations[0]: each.what for each in compare(SHOP, moved) if each.severity is Severity.BREAKING}
    assert found["POST /v1/books"] == "it is gone; POST /books looks like it"
    assert found["GET /v1/books/{id}"] == "it is gone; GET /books/{id} looks like it"


class TestVersions:
    """A version in the address is that version whatever comes; without one the document's own version counts."""

    @pytest.mark.parametrize(("version", "fails"), [("1.5.0", True), ("1.4.0", True), ("2.0.0", False)])
    def test_a_new_major_version_may_break_what_stands_outside_the_versioned_addresses(
        self, version: str, *, fails: bool
    ) -> None:
        after = changed({"/paths/~1status": GONE, "/info/version": version})
        (finding,) = compare(SHOP, after)
        assert (finding.severity, finding.version, finding.fails) == (Severity.BREAKING, "1", fails)

    def test_below_one_a_minor_version_may(self) -> None:
        before = changed({"/info/version": "0.4.2"})
        assert [
            each.fails for each in compare(before, changed({"/paths/~1status": GONE, "/info/version": "0.4.3"}))
        ] == [True]
        assert [
            each.fails for each in compare(before, changed({"/paths/~1status": GONE, "/info/version": "0.5.0"}))
        ] == [False]

    def test_v1_may_never(self) -> None:
        after = changed({BOOKS: GONE, "/paths/~1v2~1books": SHOP["paths"]["/v1/books"], "/info/version": "2.0.0"})
        breaks = [each for each in compare(SHOP, after) if each.severity is Severity.BREAKING]
        assert {(each.version, each.fails) for each in breaks} == {("v1", True)}
