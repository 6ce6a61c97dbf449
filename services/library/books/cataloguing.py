"""Titles from a file: one row of goodbooks-10k becomes a draft, or reasons. Pure: `freehold import` calls it.

The file has the dirt of real data: short numbers that lost leading zeros, long ones in float notation (rounded, so of no
use), years as floats. What was mended or left out is said of the row.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from freehold.transfer import Record

from . import isbn

_SOURCE = "goodbooks"
# Codes of two letters and of none, as the file has them, in the codes of three (ISO 639-3).
_LANGUAGES = {"en": "eng", "nl": "nld"}


def draft_of(record: Record) -> Mapping[str, Any] | None:
    """The fields of a title, as a client would send them; None for a row that is refused."""
    title, author = record["title"].strip(), record["authors"].strip()
    if not title:
        record.refuse("title", "there is none")
    if not author:
        record.refuse("authors", "there is none")
    found = {
        "title": title,
        "author": author,
        "isbn13": _number(record),
        "language": _language(record),
        "year": _whole(record, "original_publication_year"),
        "average_rating": _rating(record),
        "ratings_count": _whole(record, "ratings_count") or 0,
        "source_id": f"{_SOURCE}:{record['goodreads_book_id']}",
    }
    return None if record.is_refused else found


def _number(record: Record) -> str | None:
    text = record["isbn"].strip().upper()
    if not text:
        record.note("isbn", "there is none; the long number is rounded and cannot stand for it")
        return None
    if len(text) < 10:
        record.note("isbn", "leading zeros restored")
    try:
        return isbn.parse(text.zfill(10))
    except isbn.BadISBN as error:
        record.note("isbn", f"left out: {error}")
        return None


def _language(record: Record) -> str | None:
    text = str(record["language_code"]).strip()
    if not text:
        record.note("language_code", "there is none")
        return None
    return _LANGUAGES.get(text, text)


def _rating(record: Record) -> float | None:
    try:
        return float(record["average_rating"])
    except ValueError:
        record.note("average_rating", "left out: no number")
        return None


def _whole(record: Record, name: str) -> int | None:
    """A whole number, also where a spreadsheet has written 1997.0."""
    text = record[name].strip()
    if not text:
        record.note(name, "there is none")
        return None
    try:
        number = float(text)
    except ValueError:
        number = float("nan")
    if not number.is_integer():
        record.note(name, "left out: no whole number")
        return None
    return int(number)
