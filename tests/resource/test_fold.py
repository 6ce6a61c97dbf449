"""One fold, and search terms in any script."""
# ruff: noqa: RUF001

from __future__ import annotations

import time
import unicodedata

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from freehold.query.words import read_search
from freehold.resource.fold import fold
from freehold.resource.grams import BOUNDARY, MAX_DOCUMENT_BYTES, MAX_PLACES, SURPLUS, WHOLE, document
from freehold.resource.search_text import LEAD, PAIR, tsvector

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=60)


@pytest.mark.parametrize(
    ("text", "folded"),
    [
        ("Ångström", "angstrom"),
        ("ŁÓDŹ Ørsted", "lodz orsted"),
        ("STRASSE straße", "strasse strasse"),
        ("İstanbul ISPARTA ı", "istanbul isparta i"),
        ("ﬁn ｆｕｌｌ ①", "fin full 1"),
        ("  two \t words ", "two words"),
        ("Ёлка", "елка"),
        ("Ἀθῆναι", "αθηναι"),
        ("شَقَّة", "شقة"),
        ("שָׁלוֹם", "שלום"),
        ("がく ｶﾞｸ", "がく ガク"),
        ("서울", "서울"),
        ("กรุงเทพ", "กรุงเทพ"),
        ("हिन्दी", "हिन्दी"),
        ("soft\u00adhyphen zero\u200bwidth", "softhyphen zerowidth"),
        ("", ""),
    ],
)
def test_fold(text, folded):
    assert fold(text) == folded


@given(TEXT)
@example("\u1e9b\u0323")
@example("\u0345α")
@example("\u0fb2\u0f81")
@example("각\u11a8ᄀ")
@settings(max_examples=400)
def test_fold_is_idempotent(text):
    assert fold(fold(text)) == fold(text)


@given(TEXT)
@settings(max_examples=200)
def test_fold_is_deaf_to_case_and_composition(text):

    assert fold(unicodedata.normalize("NFD", text)) == fold(text)
    assert fold(text.casefold()) == fold(text)


@pytest.mark.slow
@pytest.mark.parametrize(
    "piece",
    [
        "\u0316\u0301",
        "\u093c\u094d",
        "\ufdfa",
        "\u0f71\u0f72",
        "a\u3099",
        "漢字",
        "\u0f73",
        "ب\u064b\u064c",
        "\U0001d15e",
    ],
)
def test_V08_folding_and_indexing_take_time_in_proportion(piece):
    text = (piece * 65_536).encode()[:65_536].decode(errors="ignore")
    for work in (read_search, lambda given: document([given])):
        start = time.process_time()
        work(text)
        assert time.process_time() - start < 10  # what is quadratic takes minutes


def kept(*texts: str | None) -> list[str]:
    return document(texts).replace(BOUNDARY, "|").replace(WHOLE, "+").split("\n")


def phrases(text: str) -> list[tuple[str, ...]]:
    """What is wanted; a term that may go on ends with a star."""
    found = read_search(text).phrases
    return [(*each.terms[:-1], f"{each.terms[-1]}{'*' if each.prefix else ''}") for each in found]


def test_unspaced_scripts_are_cut_into_pairs_at_their_places():
    assert kept("東京都 iPhone", "b A b", None, "c") == ["+東京+京都+都+iphone 東京 京都 都 iphone", "b a b | | c |"]
    assert phrases("東京都") == [("東京", "京都")]
    assert phrases("京") == [("京*",)]
    assert phrases("small 東京 apart") == [("small",), ("東京",), ("apart*",)]
    assert phrases('"東京 apart"') == [("東京", "京", "apart")]
    assert phrases("iPhoneケース") == [("iphone", "ケー", "ース")]


def test_a_document_has_the_same_places_on_both_databases():
    assert sorted(tsvector(document(["b a b", "a", None])).split()) == [
        "'a':3,6", "'b':2,4", f"'{WHOLE}b{WHOLE}a{WHOLE}b':1", f"'{LEAD}a':3", f"'{LEAD}b':2,4",
        f"'{PAIR}a{PAIR}b':1", f"'{PAIR}b{PAIR}a':1",
    ]  # fmt: skip


def test_separators_of_every_script_separate():
    for separator in " .,;:!?'\"-_/\\()[]{}<>|@#$%^&*+=~`、。・「」—–…«»¡¿،؛؟।፡·°\u3000\u2028":
        whole = [part for phrase in phrases(f"left{separator}right") for part in phrase]
        assert whole == ["left", "right*"], repr(separator)


@given(st.lists(TEXT, max_size=4))
@settings(max_examples=200)
def test_a_row_is_found_by_its_own_text(texts):
    terms = f" {' '.join(document(['', *texts]).split())} "
    for text in texts:
        for phrase in read_search(text.replace("-", " ")).phrases:
            end = "" if phrase.prefix else " "
            assert f" {' '.join(phrase.terms)}{end}" in terms


@pytest.mark.slow
def test_a_document_is_bounded():
    huge = " ".join(f"w{number}" for number in range(200_000))
    found = document([huge, "never reached"])
    assert len(found.split()) == MAX_PLACES
    assert found.endswith("\n")
    assert len(document(["漢" * 64 + "字" * 80_000]).encode()) <= MAX_DOCUMENT_BYTES
    again = document(["x " * 300]).split()
    assert (again.count("x"), again.count(SURPLUS)) == (255, 45)
    assert kept("x" * 10_000) == [f"+{'x' * 64} {'x' * 64}", ""]
    assert kept(None, "", "…") == ["", "| |"]
