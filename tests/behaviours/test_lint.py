"""The OpenAPI documents under the rules that linters hold an API to (N05).

The rules of Redocly's strict set and of Spectral's OWASP set that say something about a document of ours, written out:
neither linter is a Python package, and a second of CI is cheaper than a second toolchain. Left out are the OWASP rules
that ask for what is not sent: quota headers on answers that no quota met, CORS headers on each answer, and bounds of
text that a service's own functions may write at any length.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from tests.behaviours.test_contract import imba_at
from tests.web.shelf import make

Json = dict[str, Any]
Rule = Callable[[Json], Iterator[str]]
METHODS = {"get", "put", "post", "delete", "options", "head", "patch", "trace"}
REF = "#/components/"


def operations(document: Json) -> Iterator[tuple[str, Json]]:
    for path, item in document["paths"].items():
        for method in METHODS & item.keys():
            yield f"{method} {path}", item[method]


def objects(value: Any, place: str = "") -> Iterator[tuple[str, Json]]:
    """Every object with its place, examples and defaults left out."""
    if isinstance(value, dict):
        yield place, value
        for name, child in value.items():
            if name not in ("example", "examples", "default", "const", "enum"):
                yield from objects(child, f"{place}/{name}")
    elif isinstance(value, list):
        for index, child in enumerate(value):
            yield from objects(child, f"{place}/{index}")


def info_is_given(document: Json) -> Iterator[str]:
    yield from (f"info has no {name}" for name in ("title", "version") if not document["info"].get(name))
    if not all(server["url"].startswith(("http://", "https://", "/")) for server in document["servers"]):
        yield "a server without an address"


def operations_are_described(document: Json) -> Iterator[str]:
    listed = {tag["name"] for tag in document["tags"] if tag.get("description")}
    for place, operation in operations(document):
        for name in ("operationId", "summary", "description", "tags"):
            if not operation.get(name):
                yield f"{place}: no {name}"
        for tag in set(operation.get("tags", ())) - listed:
            yield f"{place}: the tag {tag} is not described"


def operations_say_who_may(document: Json) -> Iterator[str]:
    schemes = document["components"]["securitySchemes"]
    for place, operation in operations(document):
        if "security" not in operation:
            yield f"{place}: no security"
        for needed in operation.get("security", ()):
            yield from (f"{place}: {name} is no scheme" for name in needed if name not in schemes)
        guarded = operation.get("security") and {} not in operation["security"]
        if guarded and not {"401", "403"} <= operation["responses"].keys():
            yield f"{place}: guarded, and no 401 or 403"


def parameters_fit_their_paths(document: Json) -> Iterator[str]:
    for path, item in document["paths"].items():
        wanted = set(re.findall(r"{([^}]+)}", path))
        for method in METHODS & item.keys():
            given = [(each["in"], each["name"]) for each in item[method].get("parameters", ())]
            if {name for where, name in given if where == "path"} != wanted:
                yield f"{method} {path}: path parameters are {given}"
            if len(given) != len(set(given)):
                yield f"{method} {path}: a parameter twice"
    shapes = [re.sub(r"{[^}]+}", "{}", path) for path in document["paths"]]
    yield from (f"{shape}: two paths of one shape" for shape in set(shapes) if shapes.count(shape) > 1)
    yield from (f"{path}: ends with a slash" for path in document["paths"] if path != "/" and path.endswith("/"))


def answers_are_told(document: Json) -> Iterator[str]:
    for place, operation in operations(document):
        statuses = operation["responses"].keys()
        if not any(status[0] in "23" for status in statuses):
            yield f"{place}: no success"
        if not {"429", "500"} <= statuses:
            yield f"{place}: no 429 or 500"
        if operation.get("requestBody") and not {"413", "415", "422"} <= statuses:
            yield f"{place}: a body, and no 413, 415 or 422"
        for status, answer in operation["responses"].items():
            if not answer.get("description"):
                yield f"{place} {status}: no description"
            if status[0] in "45" and list(answer.get("content", ())) != ["application/problem+json"]:
                yield f"{place} {status}: not a problem document"


def reads_take_no_bodies(document: Json) -> Iterator[str]:
    for place, operation in operations(document):
        never = {"409", "413", "415", "507"} & operation["responses"].keys()
        if place.startswith("get ") and ("requestBody" in operation or never):
            yield f"{place}: {sorted(never) or 'a body'}"


def references_lead_somewhere(document: Json) -> Iterator[str]:
    used = {str(found["$ref"]) for _, found in objects(document) if isinstance(found.get("$ref"), str)}
    used |= {str(to) for _, found in objects(document) for to in (found.get("mapping") or {}).values()}
    there = {f"{REF}{kind}/{name}" for kind, parts in document["components"].items() for name in parts}
    yield from (f"{ref}: leads nowhere" for ref in used - there)
    yield from (f"{ref}: never used" for ref in there - used if "/schemas/" in ref)


def integers_are_bounded(document: Json) -> Iterator[str]:
    for place, schema in objects(document):
        if schema.get("type") == "integer" and not {"enum", "const"} & schema.keys():
            bounded = {"minimum", "exclusiveMinimum"} & schema.keys() and {
                "maximum",
                "exclusiveMaximum",
            } & schema.keys()
            if not bounded or schema.get("format") not in ("int32", "int64"):
                yield f"{place}: an integer without bounds or format"


def requests_are_bounded(document: Json) -> Iterator[str]:
    """What a client may send has an end: text, lists."""
    for place, operation in operations(document):
        parts = [each.get("schema", {}) for each in operation.get("parameters", ()) if each["in"] != "header"]
        for where, schema in objects(parts, place):
            ends = {"maxLength", "enum", "const", "format", "pattern"} & schema.keys()
            if schema.get("type") == "string" and not ends:
                yield f"{where}: text without an end"


def no_credentials_in_addresses(document: Json) -> Iterator[str]:
    for place, operation in operations(document):
        for each in operation.get("parameters", ()):
            if each["in"] == "query" and re.search(
                r"secret|password|api_?key|access_token", each["name"], re.IGNORECASE
            ):
                yield f"{place}: {each['name']} in the address"


def examples_and_defaults_are_valid_json(document: Json) -> Iterator[str]:
    if json.loads(json.dumps(document, allow_nan=False)) != document:
        yield "the document is not plain JSON"


RULES: list[Rule] = [
    info_is_given, operations_are_described, operations_say_who_may, parameters_fit_their_paths, answers_are_told,
    reads_take_no_bodies, references_lead_somewhere, integers_are_bounded, requests_are_bounded,
    no_credentials_in_addresses, examples_and_defaults_are_valid_json,
]  # fmt: skip


@pytest.fixture(scope="module")
def documents(tmp_path_factory: pytest.TempPathFactory) -> list[Json]:
    folder = tmp_path_factory.mktemp("lint")
    apps = imba_at(folder), make(f"sqlite+aiosqlite:///{folder}/shelves.db", folder)
    return [json.loads(json.dumps(app.openapi())) for app in apps]


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_N05_the_documents_pass_each_rule(documents: list[Json], rule: Rule) -> None:
    for document in documents:
        assert not (found := sorted(rule(document))), "\n".join(found[:20])


def test_N05_each_rule_catches_its_fault(documents: list[Json]) -> None:
    def broken(rule: Rule, change: Callable[[Json], object]) -> None:
        document = json.loads(json.dumps(documents[1]))
        change(document)
        assert list(rule(document)), rule.__name__

    path, item = next((path, item) for path, item in documents[1]["paths"].items() if "{id}" in path and "get" in item)
    get: Callable[[Json], Json] = lambda document: document["paths"][path]["get"]  # noqa: E731
    assert "get" in item
    broken(info_is_given, lambda d: d["info"].pop("version"))
    broken(operations_are_described, lambda d: get(d).pop("description"))
    broken(operations_are_described, lambda d: d.update(tags=[]))
    broken(operations_say_who_may, lambda d: get(d).pop("security"))
    broken(operations_say_who_may, lambda d: [each["responses"].pop("403", 0) for _, each in operations(d)])
    broken(parameters_fit_their_paths, lambda d: get(d).update(parameters=[]))
    broken(parameters_fit_their_paths, lambda d: d["paths"].update({path.replace("{id}", "{x}"): {}}))
    broken(answers_are_told, lambda d: get(d)["responses"].pop("429"))
    broken(answers_are_told, lambda d: get(d)["responses"]["404"].update(content={"application/json": {}}))
    broken(reads_take_no_bodies, lambda d: get(d)["responses"].update({"415": {}}))
    broken(references_lead_somewhere, lambda d: d["components"]["schemas"].update(Unused={}))
    broken(references_lead_somewhere, lambda d: d["components"]["schemas"].pop("Problem"))
    broken(integers_are_bounded, lambda d: d["components"]["schemas"].update(N={"type": "integer"}))
    broken(requests_are_bounded, lambda d: get(d)["parameters"].append({"in": "query", "schema": {"type": "string"}}))
    broken(no_credentials_in_addresses, lambda d: get(d)["parameters"].append({"in": "query", "name": "password"}))
