"""The type of a search document: plain terms on SQLite, a tsvector on PostgreSQL, with the same terms at the same places.

No database cuts the text into words, so that neither's idea of a word, a locale or a stop word takes part.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
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
_FEW: Final = 64
"""Terms of which the places are kept as text."""


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
    first, _, rest = document.partition("\n")
    lead = first.split()
    if not rest and 0 < len(lead) == len(set(lead)) <= _FEW and _GAPS.isdisjoint(lead):
        return _of_one_text(lead)
    words = lead[1:] if lead and lead[0][0] == WHOLE else lead
    others = [line.split() for line in rest.split("\n")]
    kept = [term for term in (*lead, *others[0]) if term not in _GAPS]
    if len(others) == 1 and len(set(kept)) == len(kept):
        return _of_distinct(lead, words, others[0])
    places: dict[str, str] = {}
    _place(places, lead, 1)
    _place(places, words, 1 + len(lead) - len(words), mark=LEAD)
    places |= dict.fromkeys(pairs(words), "1")
    place = len(lead) + 2  # no phrase reaches from the first source into the next
    for terms in others:
        _place(places, terms, place)
        place += len(terms) + 1
    return " ".join([f"'{term}':{found}" for term, found in places.items()])


def _of_one_text(lead: list[str]) -> str:
    """The same where there is no other text: the places are those of any text with as many terms."""
    words = lead[1:] if lead[0][0] == WHOLE else lead
    both = [term for term in words for _ in (0, 1)][1:-1]
    return _places_of(len(lead), len(words)) % (*lead, *words, *both)


@lru_cache(maxsize=2 * _FEW)
def _places_of(terms: int, words: int) -> str:
    """The text of a tsvector without its terms. words: how many of the terms are words."""
    said = [f"'%s':{place}" for place in range(1, terms + 1)]
    said += [f"'{LEAD}%s':{place}" for place in range(1 + terms - words, terms + 1)]
    said += [f"'{PAIR}%s{PAIR}%s':1"] * (words - 1)
    return " ".join(said)


def _of_distinct(lead: list[str], words: list[str], rest: list[str]) -> str:
    """The same of terms each of which stands at one place."""
    marked = 1 + len(lead) - len(words)
    said = [f"'{term}':{place}" for place, term in enumerate(lead, 1) if term not in _GAPS]
    said += [f"'{LEAD}{term}':{place}" for place, term in enumerate(words, marked) if term not in _GAPS]
    said += [f"'{PAIR}{one}{PAIR}{other}':1" for one, other in pairwise(words)]
    said += [f"'{term}':{place}" for place, term in enumerate(rest, len(lead) + 2) if term not in _GAPS]
    return " ".join(said)


def _place(places: dict[str, str], terms: list[str], first: int, *, mark: str = "") -> None:
    """Note the places of terms that follow one another. mark: what stands in front of each."""
    for place, term in enumerate(terms, first):
        if term not in _GAPS:
            name = mark + term
            places[name] = f"{places[name]},{place}" if name in places else str(place)
