"""Card numbers: thirteen digits and a check digit (ISO/IEC 7812-1 annex B), so that a slip of the hand is no one's card."""

from __future__ import annotations

import secrets


def new() -> str:
    """A number that nobody can guess from another."""
    body = f"2{secrets.randbelow(10**12):012}"
    return body + _check(body)


def is_valid(number: str) -> bool:
    """Whether the check digit fits."""
    return number.isascii() and number.isdigit() and len(number) > 1 and _check(number[:-1]) == number[-1]


def _check(body: str) -> str:
    doubled = [int(digit) * (1 + place % 2) for place, digit in enumerate(body, start=len(body) % 2)]
    return str(-sum(value // 10 + value % 10 for value in doubled) % 10)
