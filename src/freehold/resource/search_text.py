"""The type of a search document: plain terms on SQLite, a tsvector on PostgreSQL, with the same terms at the same places.

No database cuts the text into words, so that neither's idea of a word, a locale or a stop word takes part.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any, Final

from sqlalchemy import Dialect, Text, TypeDecorator
from sqlalchemy.dialects.postgresql import TSVECTOR

from freehold.resource.grams import BOUNDARY, SURPLUS, WHOLE

LEAD = "\ue003"
"""Begins the second form of a term of the first source in a tsvector: an index keeps no weights."""
PAIR = "\ue004"
"""Stands in front of both terms of a pair of the first source: an index keeps no places either."""
_GAPS: Final = frozenset({BOUNDARY, SURPLUS})


class SearchDocument(TypeDecorator[str]):
    """What `grams.document` makes. On PostgreSQL the terms of the first source are there again, marked, and in pairs."""

    impl = Text
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> Any:
        """A tsvector where there is one."""
        return dialect.type_descriptor(TSVECTOR() if dialect.name == "postgresql" else Text())

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        """The document as the database's own."""
        return tsvector(value) if value is not None and dialect.name == "postgresql" else value


def pairs(terms: Sequence[str]) -> list[str]:
    """The terms that stand for two neighbours of the first source."""
    return [f"{PAIR}{one}{PAIR}{other}" for one, other in pairwise(terms)]


def tsvector(document: str) -> str:
    """A document as the text of a tsvector."""
    places: dict[str, str] = {}
    place = 0
    for number, line in enumerate(document.split("\n")):
        terms = line.split()
        for place, term in enumerate(terms, place + 1):  # noqa: B020 (goes on from where the line before ended)
            if term in _GAPS:
                continue
            places[term] = f"{places[term]},{place}" if term in places else str(place)
            if number == 0 and term[0] != WHOLE:
                lead = LEAD + term
                places[lead] = f"{places[lead]},{place}" if lead in places else str(place)
        if number == 0:
            for pair in pairs([term for term in terms if term[0] != WHOLE]):
                places[pair] = "1"
        place += 1  # no phrase reaches from the first source into the next
    return " ".join([f"'{term}':{found}" for term, found in places.items()])
