"""A row's search terms: what few and plain words are is what many and strange ones are."""

from __future__ import annotations

from collections import defaultdict

import pytest
from hypothesis import given
from hypothesis import strategies as st

from freehold.resource import grams
from freehold.resource.grams import BOUNDARY, SURPLUS, WHOLE, document, runs
from freehold.resource.search_text import LEAD, pairs, tsvector

TEXTS = st.lists(st.text(st.sampled_from("ab Z9'_-.京海é"), max_size=12), min_size=1, max_size=3)


def test_each_sign_of_ascii_is_what_its_category_says() -> None:
    for character in map(chr, range(128)):
        is_word = grams._writing(character) is grams._Writing.SPACED
        assert list(runs(f"{character}é")) == [(False, f"{character.lower()}e" if is_word else "e")]
        assert list(runs(character)) == ([(False, character.lower())] if is_word else [])


@given(TEXTS, st.integers(1, 40))
def test_few_terms_are_written_as_many_are(texts: list[str], bound: int) -> None:
    short = document(texts)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(grams, "MAX_REPETITIONS", bound)
        counted = document(texts)
    assert SURPLUS in counted or counted == short


def test_what_occurs_too_often_keeps_its_place_alone() -> None:
    found = document(["a " * (grams.MAX_REPETITIONS + 2)]).split()
    assert (found.count("a"), found.count(SURPLUS)) == (grams.MAX_REPETITIONS, 2)


@given(TEXTS)
def test_a_tsvector_has_each_term_at_its_places(texts: list[str]) -> None:
    lead, *others = document(texts).split("\n")
    places: defaultdict[str, list[int]] = defaultdict(list)
    for place, term in enumerate(lead.split(), 1):
        places[term].append(place)
        if not term.startswith(WHOLE):
            places[LEAD + term].append(place)
    for pair in pairs([term for term in lead.split() if not term.startswith(WHOLE)]):
        places[pair] = [1]
    begin = len(lead.split()) + 2
    for place, term in enumerate(" ".join(others).split(), begin):
        if term != BOUNDARY:
            places[term].append(place)
    wanted = [f"'{term}':{','.join(map(str, found))}" for term, found in places.items()]
    assert sorted(tsvector(document(texts)).split()) == sorted(wanted)


@pytest.mark.parametrize("number", [0, 1, 2, 3, 62, 63, 64, 65, 200])
def test_a_text_with_nothing_behind_it_is_written_as_one_with_an_empty_text_behind_it(number: int) -> None:
    text = " ".join(f"t{each}" for each in range(number))
    assert tsvector(document([text])) == tsvector(document([text, ""]))
