"""The fields of `freehold add resource`, from `name:type` with its marks to what the generator writes."""

from __future__ import annotations

import keyword
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NoReturn

from freehold.errors import ConfigurationError

TYPES = ("str", "text", "int", "float", "decimal", "bool", "date", "datetime", "uuid", "json", "enum", "ref")
_SYNTAX = "name:type, with ? (may be null), ! (unique) or ^ (sortable) at its end"
_FIELD = re.compile(r"(?P<name>[^:]+):(?P<type>[a-z]+)(?:\((?P<inner>[^()]*)\)|:(?P<tail>[^?!^]*))?(?P<marks>[?!^]*)")
_NAME = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*")
_CHOICE = re.compile(r"[a-z][a-z0-9]*([-_][a-z0-9]+)*")
_LONGEST = 40
_LONGEST_LINE = 255  # longer text is `text`
_MOST_DIGITS = 15  # what SQLite keeps of a decimal
_UNSORTED = frozenset({"json"})
_NEVER_UNIQUE = frozenset({"json", "bool", "text", "enum", "float", "decimal"})
_TYPE_NAMES = frozenset({"bool", "date", "datetime", "dict", "float", "int"})  # would hide the type in its own class


@dataclass(frozen=True, slots=True)
class Field:
    """One field. arguments: of its type: length, digits and places, choices, or the table that it points to."""

    name: str
    kind: str
    arguments: tuple[str, ...] = ()
    nullable: bool = False
    unique: bool = False
    indexed: bool = False

    @property
    def attribute(self) -> str:
        """The column's name: a reference `book` is kept in `book_id`."""
        return f"{self.name}_id" if self.kind == "ref" else self.name


def parse(texts: Sequence[str], *, reserved: Mapping[str, str] | None = None) -> list[Field]:
    """The fields in order. reserved: names that cannot be taken, and why.

    Raises ConfigurationError with the field at fault and the remedy.
    """
    taken = dict(reserved or {})
    fields = []
    for text in texts:
        field = _one(text)
        for name in {field.name, field.attribute}:
            if name in taken:
                _refuse(text, f"{taken[name]}. Call it otherwise")
        taken |= dict.fromkeys((field.name, field.attribute, f"{field.name}_key"), "the name is given twice")
        fields.append(field)
    if not fields:
        raise ConfigurationError(f"a resource needs a field at least: {_SYNTAX}, such as title:str^")
    return fields


def _one(text: str) -> Field:
    found = _FIELD.fullmatch(text)
    if found is None:
        _refuse(text, f"write it as {_SYNTAX}")
    name, kind, marks = found["name"], found["type"], found["marks"]
    inner = found["inner"] if found["inner"] is not None else found["tail"]
    if kind == "ref":
        name = name.removesuffix("_id")
    _check_name(text, name)
    if kind not in TYPES:
        _refuse(text, f"there is no type {kind!r}; there are {', '.join(TYPES)}")
    arguments = tuple(part.strip() for part in inner.split(",")) if inner else ()
    _ARGUMENTS.get(kind, _no_arguments)(text, arguments)
    if len(set(marks)) < len(marks):
        _refuse(text, "a mark stands there twice")
    if "^" in marks and kind in _UNSORTED:
        _refuse(text, f"{kind} has no order: take away ^")
    if "!" in marks and kind in _NEVER_UNIQUE:
        _refuse(text, f"{kind} cannot be unique: take away !")
    return Field(name, kind, arguments, nullable="?" in marks, unique="!" in marks, indexed="^" in marks)


def _check_name(text: str, name: str) -> None:
    from pydantic import BaseModel

    from freehold.query.spec import RESERVED
    from freehold.resource.base import Base

    if not _NAME.fullmatch(name) or len(name) > _LONGEST:
        _refuse(text, f"{name!r} is no name: small letters, digits and _ between them, at most {_LONGEST}")
    if keyword.iskeyword(name) or name.startswith("model_"):
        _refuse(text, f"{name!r} is a word of Python's or Pydantic's own. Call it otherwise")
    if name in _TYPE_NAMES:
        _refuse(text, f"{name!r} is the name of a type. Call it otherwise, such as published_{name}")
    if hasattr(BaseModel, name) or hasattr(Base, name):
        _refuse(text, f"every model or schema has a {name!r} of its own. Call it otherwise")
    if name in RESERVED:
        _refuse(text, f"{name!r} is a query parameter of every list. Call it otherwise")


def _no_arguments(text: str, arguments: tuple[str, ...]) -> None:
    if arguments:
        _refuse(text, f"this type takes nothing in parentheses: take away {','.join(arguments)}")


def _length(text: str, arguments: tuple[str, ...]) -> None:
    if arguments and not (len(arguments) == 1 and _is_count(arguments[0], _LONGEST_LINE)):
        _refuse(text, f"the length is a number from 1 to {_LONGEST_LINE}, as in str(80); longer text is of type text")


def _digits(text: str, arguments: tuple[str, ...]) -> None:
    valid = len(arguments) == 2 and _is_count(arguments[0], _MOST_DIGITS) and arguments[1].isdecimal()
    if not valid or int(arguments[1]) > int(arguments[0]):
        _refuse(text, f"say its digits (at most {_MOST_DIGITS}) and its decimal places: decimal(10,2)")


def _choices(text: str, arguments: tuple[str, ...]) -> None:
    if not arguments or not all(_CHOICE.fullmatch(each) and len(each) <= _LONGEST for each in arguments):
        _refuse(text, "say the choices, in small letters: enum(draft,published)")
    if len(set(arguments)) < len(arguments):
        _refuse(text, "a choice stands there twice")


def _target(text: str, arguments: tuple[str, ...]) -> None:
    if len(arguments) != 1 or not re.fullmatch(r"[a-z][a-z0-9_-]*", arguments[0]):
        _refuse(text, "say the resource that it points to: book:ref:books")


def _is_count(text: str, largest: int) -> bool:
    return text.isdecimal() and text.isascii() and 1 <= int(text) <= largest


def _refuse(text: str, remedy: str) -> NoReturn:
    raise ConfigurationError(f"field {text!r}: {remedy}.")


_ARGUMENTS = {"str": _length, "decimal": _digits, "enum": _choices, "ref": _target}
