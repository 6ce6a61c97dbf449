"""One fold, and search terms in any script."""
# ruff: noqa: RUF001

from __future__ import annotations

import time
import unicodedata

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from freehold.resource.fold import fold
from freehold.resource.grams import MAX_DOCUMENT_BYTES, document, query_terms

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
@settings(max_examples=400, deadline=None)
def test_fold_is_idempotent(text):
    assert fold(fold(text)) == fold(text)


@given(TEXT)
@settings(max_examples=200, deadline=None)
def test_fold_is_deaf_to_case_and_composition(text):

    assert fold(unicodedata.normalize("NFD", text)) == fold(text)
    assert fold(text.casefold()) == fold(text)


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
    for work in (query_terms, lambda given: document([given])):
        start = time.process_time()
        work(text)
        assert time.process_time() - start < 1.0


def test_unspaced_scripts_are_cut_into_one_and_two_characters():
    assert document(["東京都 iPhoneケース"]).split() == [
        "東",
        "京",
        "都",
        "東京",
        "京都",
        "iphone",
        "ケ",
        "ー",
        "ス",
        "ケー",
        "ース",
    ]
    assert query_terms("東京都") == (("東京", "京都"), None)
    assert query_terms("京") == (("京",), None)
    assert query_terms("small 東京 apart") == (("small", "東京"), "apart")
    assert query_terms("apart 東京") == (("apart", "東京"), None)


def test_separators_of_every_script_separate():
    for separator in " .,;:!?'\"-_/\\()[]{}<>|@#$%^&*+=~`、。・「」—–…«»¡¿،؛؟।፡·°\u3000\u2028":
        assert query_terms(f"left{separator}right") == (("left",), "right"), repr(separator)


@given(st.lists(TEXT, max_size=4))
@settings(max_examples=200, deadline=None)
def test_a_row_is_found_by_its_own_text(texts):
    terms = set(document(texts).split(" "))
    for text in texts:
        whole, prefix = query_terms(text)
        assert set(whole) <= terms
        assert prefix is None or prefix in terms


def test_a_document_is_bounded():
    huge = " ".join(f"w{number}" for number in range(200_000))
    found = document([huge])
    assert len(found.encode()) <= MAX_DOCUMENT_BYTES
    assert set(found.split(" ")) <= set(huge.split(" "))
    assert document(["x" * 10_000]) == "x" * 64
    assert document([None, "", "…"]) == ""
