"""Whether a row matches a search, told from its own document: for words that so many rows hold that a list of them
would cost more than to test the few rows that a page walks past. SQLite alone, which keeps the terms as text.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from itertools import count
from typing import Any

from sqlalchemy import (
    Column,
    ColumnElement,
    String,
    Text,
    and_,
    bindparam,
    func,
    literal_column,
    not_,
    or_,
    type_coerce,
)

from freehold.query.words import Match, Words

_SPACE: ColumnElement[str] = literal_column("' '")
_LINE_FEED: ColumnElement[str] = literal_column("char(10)")
_SPACED_LINE_FEED: ColumnElement[str] = literal_column("' ' || char(10) || ' '")


def row_shape(match: Match) -> Hashable:
    """What of a search decides the text of `row_matches`."""
    return tuple((words.in_lead, len(words.phrases)) for words in _parts(match))


def row_matches(document: Column[Any], match: Match, prefix: str) -> ColumnElement[bool]:
    """The condition on a `search_document` column, for a match that wants words; its binds are named `<prefix>0` and so on."""
    text = type_coerce(document, Text)
    names = (f"{prefix}{place}" for place in count())
    wanted, *unwanted = [_holds_all(text, words, names) for words in _parts(match)]
    return and_(wanted, *(not_(each) for each in unwanted))


def row_values(match: Match, prefix: str) -> dict[str, str]:
    """The values of its binds: each phrase as it stands between spaces. A last term that may go on has none behind it."""
    phrases = [phrase for words in _parts(match) for phrase in words.phrases]
    texts = (f" {' '.join(phrase.terms)}{'' if phrase.prefix else ' '}" for phrase in phrases)
    return {f"{prefix}{place}": text for place, text in enumerate(texts)}


def _parts(match: Match) -> tuple[Words, ...]:
    assert match.wanted is not None
    return match.wanted, *match.unwanted


def _holds_all(text: ColumnElement[str], words: Words, names: Iterator[str]) -> ColumnElement[bool]:
    holds = _lead_holds if words.in_lead else _holds
    return and_(*(holds(text, bindparam(next(names), type_=String())) for _ in words.phrases))


def _lead_holds(text: ColumnElement[str], phrase: ColumnElement[str]) -> ColumnElement[bool]:
    end = func.instr(text.concat(_LINE_FEED), _LINE_FEED)
    return func.instr(_between_spaces(func.substr(text, 1, end - 1)), phrase) > 0


def _holds(text: ColumnElement[str], phrase: ColumnElement[str]) -> ColumnElement[bool]:
    # The first look finds nearly all that there is, at a third of the cost; the second sees to the ends of the lines.
    spaced = func.replace(text, _LINE_FEED, _SPACED_LINE_FEED)
    return or_(*(func.instr(_between_spaces(each), phrase) > 0 for each in (text, spaced)))


def _between_spaces(text: ColumnElement[str]) -> ColumnElement[str]:
    return _SPACE.concat(text).concat(_SPACE)
