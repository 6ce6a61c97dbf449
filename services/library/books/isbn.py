"""International standard book numbers (ISO 2108): read, checked, turned into each other. Pure.

The canonical form is thirteen digits. A number of ten is the same book under 978; those under 979 have no such form.
"""

from __future__ import annotations

import re

_SEPARATORS = re.compile(r"[\s\u2010-\u2015-]+")


class BadISBN(ValueError):
    """Not a number of a book. The message says why."""


def parse(text: str) -> str:
    """The thirteen digits of a number in either form, with or without hyphens. Raises BadISBN."""
    plain = _SEPARATORS.sub("", text).upper()
    if not plain.isascii():
        raise BadISBN("an ISBN has the digits 0 to 9")
    if re.fullmatch(r"\d{9}[\dX]", plain):
        if _check_10(plain[:9]) != plain[9]:
            raise BadISBN("the check digit is wrong")
        return _with_check(f"978{plain[:9]}")
    if re.fullmatch(r"97[89]\d{10}", plain):
        if _with_check(plain[:12]) != plain:
            raise BadISBN("the check digit is wrong")
        return plain
    raise BadISBN("an ISBN has ten digits, the last may be X, or thirteen that begin with 978 or 979")


def short(thirteen: str) -> str | None:
    """The form of ten digits; None for a number under 979. thirteen: canonical."""
    body = thirteen[3:12]
    return body + _check_10(body) if thirteen.startswith("978") else None


def _check_10(nine: str) -> str:
    check = -sum(int(digit) * (10 - place) for place, digit in enumerate(nine)) % 11
    return "X" if check == 10 else str(check)


def _with_check(twelve: str) -> str:
    check = -sum(int(digit) * (3 if place % 2 else 1) for place, digit in enumerate(twelve)) % 10
    return f"{twelve}{check}"
