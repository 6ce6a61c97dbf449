"""The contract as a file: JSON that reads well in a review, a line for each small thing, and the line of each place."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from freehold.contract.normal import normalised
from freehold.contract.places import escaped
from freehold.errors import ConfigurationError

_WIDTH = 120


def read(path: Path) -> dict[str, Any]:
    """The OpenAPI document in a file. Raises ConfigurationError where there is none."""
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ConfigurationError(f"There is no {path}.") from None
    except (OSError, ValueError) as error:
        raise ConfigurationError(f"{path} cannot be read as JSON: {error}") from None
    if not isinstance(document, dict) or not isinstance(document.get("paths"), dict):
        raise ConfigurationError(f"{path} is no OpenAPI document: it has no paths.")
    return document


def write(path: Path, document: dict[str, Any]) -> None:
    """Write a document in its normal form."""
    path.write_text(rendered(document)[0], encoding="utf-8")


def lines_of(path: Path) -> dict[str, int]:
    """Line numbers by JSON Pointer, where the file is laid out as `write` does; empty for any other."""
    written = path.read_text(encoding="utf-8")
    text, lines = rendered(json.loads(written))
    return lines if text == written else {}


def line_of(pointer: str, lines: dict[str, int]) -> int | None:
    """The line on which a place stands, or what holds it."""
    while pointer and pointer not in lines:
        pointer = pointer.rpartition("/")[0]
    return lines.get(pointer)


def rendered(document: dict[str, Any]) -> tuple[str, dict[str, int]]:
    """The text of a document in its normal form, and the line on which each place of it begins."""
    written, lines = list[str](), dict[str, int]()
    for pointer, line in _laid_out(normalised(document), "", lead="", end=""):
        written.append(line)
        if pointer is not None:
            lines[pointer] = len(written)
    return "\n".join(written) + "\n", lines


def _laid_out(value: Any, pointer: str, *, lead: str, end: str) -> Iterator[tuple[str | None, str]]:
    """Lines, each with the place that begins on it. lead: what stands before the value. end: a comma, or nothing."""
    short = json.dumps(value, ensure_ascii=False)
    if not isinstance(value, dict | list) or not value or len(lead) + len(short) < _WIDTH:
        yield pointer, f"{lead}{short}{end}"
        return
    is_object = isinstance(value, dict)
    pairs = list(value.items()) if isinstance(value, dict) else list(enumerate(value))
    opening, closing = "{}" if is_object else "[]"
    indentation = lead[: len(lead) - len(lead.lstrip())]
    yield pointer, f"{lead}{opening}"
    for name, each in pairs:
        before = f"{indentation}  {json.dumps(name, ensure_ascii=False)}: " if is_object else f"{indentation}  "
        comma = "," if name != pairs[-1][0] else ""
        yield from _laid_out(each, f"{pointer}/{escaped(str(name))}", lead=before, end=comma)
    yield None, f"{indentation}{closing}{end}"
