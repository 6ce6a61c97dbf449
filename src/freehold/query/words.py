"""What somebody typed into a search box -> what a row has to hold, and how well it does.

    sunny loft          rows with both words; the last one may go on (`loft`, `lofts`)
    "sea view"          the words next to each other, in this order
    -garden -"to let"   none of these

Nothing else is syntax. A word that separators cut in pieces (`o'brien`) is a phrase of them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from freehold.resource.grams import run_terms, runs, whole_term

_QUOTES: Final = str.maketrans(dict.fromkeys("\u201c\u201d\u201e\uff02", '"'))
_TOKEN: Final = re.compile(r'(-?)(?:"([^"]*)("?)|(\S+))')

Run = tuple[bool, str]


@dataclass(frozen=True, slots=True)
class Phrase:
    """Terms next to each other. prefix: the last one may go on."""

    terms: tuple[str, ...]
    prefix: bool = False


@dataclass(frozen=True, slots=True)
class Words:
    """All of these phrases. in_lead: in the first source of the document."""

    phrases: tuple[Phrase, ...]
    in_lead: bool = False


@dataclass(frozen=True, slots=True)
class Match:
    """What an index is asked for: rows with the wanted words (None: any row) and with none of the unwanted ones.

    is_common: so many rows match that to test a row is cheaper than to list them; decided when the query runs.
    """

    wanted: Words | None
    unwanted: tuple[Words, ...] = ()
    is_common: bool = False


@dataclass(frozen=True, slots=True)
class Search:
    """What `q` asks for. line: all that is wanted, as one phrase; exact: as the whole of a text."""

    phrases: tuple[Phrase, ...] = ()
    without: tuple[Phrase, ...] = ()
    line: Phrase | None = None
    exact: Phrase | None = None

    @property
    def is_empty(self) -> bool:
        """Whether the text held no term at all, such as punctuation: no row matches."""
        return not self.phrases and not self.without

    @property
    def size(self) -> int:
        """How many terms are looked for."""
        return sum(len(phrase.terms) for phrase in (*self.phrases, *self.without))

    def match(self) -> Match:
        """Rows that hold what is wanted, wherever, and nothing that is not."""
        return self._match(Words(self.phrases) if self.phrases else None)

    def tiers(self) -> tuple[Match, ...]:
        """The matching rows in parts that do not overlap, the best first; none where nothing is wanted.

        The first source is what was typed; it has that as a phrase; it has all of the words; the rest. Which one a row
        is in depends on the row and the question alone, so that other rows never move it.
        """
        if self.line is None or self.exact is None:
            return ()
        exact = [Words((self.exact,))] if self.exact.terms else []
        everywhere, in_lead = Words(self.phrases), Words(self.phrases, in_lead=True)
        best = [self._match(each) for each in exact]
        if len(self.phrases) == 1:
            return *best, self._match(in_lead, *exact), self._match(everywhere, in_lead)
        line = Words((self.line,), in_lead=True)
        return *best, self._match(line, *exact), self._match(in_lead, line), self._match(everywhere, in_lead)

    def _match(self, wanted: Words | None, *better: Words) -> Match:
        return Match(wanted, (*better, *(Words((phrase,)) for phrase in self.without)))


def read_search(text: str) -> Search:
    """Read what was typed. Cost is linear in its length."""
    tokens = list(_tokens(text))
    wanted: list[Phrase] = []
    without: list[Phrase] = []
    line: list[Run] = []
    for place, (excluded, pieces, may_go_on) in enumerate(tokens, start=1):
        if excluded:
            without.append(_phrase(pieces, prefix=False))
        else:
            wanted.append(_phrase(pieces, prefix=may_go_on and place == len(tokens)))
            line += pieces
    if not wanted:
        return Search(without=_distinct(without))
    complete = [term for unspaced, run in line for term in run_terms(run, unspaced=unspaced)]
    exact = Phrase(tuple(whole_term(complete)))
    return Search(_distinct(wanted), _distinct(without), _phrase(line, prefix=wanted[-1].prefix), exact)


def _tokens(text: str) -> Iterator[tuple[bool, list[Run], bool]]:
    """Words and phrases that hold a term: whether it is excluded, its pieces, whether its last word may go on."""
    for minus, quoted, closed, bare in _TOKEN.findall(text.translate(_QUOTES)):
        pieces = list(runs(quoted or bare))
        if pieces:
            yield minus == "-", pieces, not minus and not closed


def _phrase(pieces: Sequence[Run], *, prefix: bool) -> Phrase:
    """The phrase of some pieces. In an unspaced script what was typed may stand in the midst of more."""
    *before, (unspaced, run) = pieces
    terms = [term for is_unspaced, piece in before for term in run_terms(piece, unspaced=is_unspaced)]
    if not unspaced:
        return Phrase((*terms, *run_terms(run, unspaced=False)), prefix)
    if len(run) == 1:
        return Phrase((*terms, run), prefix=True)
    return Phrase((*terms, *run_terms(run, unspaced=True)[:-1]))


def _distinct(phrases: Sequence[Phrase]) -> tuple[Phrase, ...]:
    return tuple(dict.fromkeys(phrases))
