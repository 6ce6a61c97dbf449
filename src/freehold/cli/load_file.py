"""`freehold load-file`: a file for Locust, made from what the resources declare."""

from __future__ import annotations

import json
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from freehold.cli.target import App, name_of
from freehold.errors import ConfigurationError

if TYPE_CHECKING:
    from freehold.web.app import Freehold
    from freehold.web.mounting import Operation

_SEARCHED, _OPEN = 10, 3  # strangers look for things; what needs a log-in is asked for once in a while
PLACE = "RESOURCES: list[dict[str, Any]] = []"


def command(
    target: App = None,
    *,
    output: Annotated[Path, typer.Option("--output", "-o", help="Write to this file.")] = Path("locustfile.py"),
) -> None:
    """Write a load test of APP for Locust: lists, filters, pages, searches and single rows, in a mix of readers and writers.

    LOAD_EMAIL and LOAD_PASSWORD log in; LOAD_WRITES=1 also creates rows, from the examples of the schemas.
    """
    from freehold.cli.running import freehold_app

    app = freehold_app(target)
    text = load_file(app, named=name_of(target))
    try:
        output.write_text(text, encoding="utf-8")
    except OSError as error:
        raise ConfigurationError(f"{output} cannot be written: {error.strerror}") from None
    typer.echo(f"{output}: run it with `locust -f {output} --host http://127.0.0.1:8000`")


def load_file(app: Freehold, *, named: str) -> str:
    """The text of the file. The same declaration gives the same text."""
    text = files("freehold.templates").joinpath("load", "locustfile.py.txt").read_text(encoding="utf-8")
    found = json.dumps(resources(app), indent=4, ensure_ascii=True)
    literal = found.replace(": true", ": True").replace(": false", ": False").replace(": null", ": None")
    return text.replace("@APP@", named).replace("@TITLE@", app.title).replace(PLACE, f"{PLACE[:-2]}{literal}")


def resources(app: Freehold) -> list[dict[str, Any]]:
    """What may be asked of each resource with a list of its own: by whom, by which filters, and what is below a row."""
    lists = [each for each in app.mounted.operations if each.kind == "list" and "{" not in each.path]
    return [_resource(each, app.mounted.operations) for each in lists]


def _resource(listed: Operation, operations: list[Operation]) -> dict[str, Any]:
    is_open = _is_open(listed)
    same = [each for each in operations if each.bound is listed.bound]
    below = [each.path for each in same if each.kind == "view" and not _needs_input(each)]
    create = next((each for each in same if each.kind == "create" and each.path == listed.path), None)
    return {
        "path": listed.path,
        "key": listed.bound.key_name,
        "open": is_open,
        "weight": _SEARCHED if is_open and listed.spec.search is not None else _OPEN if is_open else 1,
        "one": any(each.kind == "one" for each in same),
        "filters": sorted(each for each in listed.spec.filters if _is_known(each, listed)),
        "sorts": sorted(listed.spec.sorts),
        "search": sorted(listed.spec.search_sources) if listed.spec.search is not None else [],
        "below": [each.rpartition("/")[2] for each in below],
        "draft": _draft(create),
    }


def _is_open(operation: Operation) -> bool:
    from freehold.resource.access import nobody
    from freehold.resource.principal import ANONYMOUS

    return operation.rule.simplify(ANONYMOUS) != nobody


def _is_known(parameter: str, listed: Operation) -> bool:
    """Whether a value for it can be taken from a row: a column under its own name, compared by equality or order."""
    name, _, operation = parameter.partition("__")
    return operation in ("", "gte", "lte") and name in listed.bound.read_schema.model_fields


def _needs_input(operation: Operation) -> bool:
    params = getattr(operation.detail, "params", None)
    return params is not None and any(each.is_required() for each in params.model_fields.values())


def _draft(create: Operation | None) -> Any:
    if create is None or create.body is None:
        return None
    shown = create.body.model_json_schema().get("examples")
    return shown[0] if shown else None
