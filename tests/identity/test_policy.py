"""What makes a password acceptable."""

from __future__ import annotations

import unicodedata
from importlib.resources import files

import pytest
from hypothesis import given
from hypothesis import strategies as st

from freehold.errors import Invalid
from freehold.identity import Blocklist, PasswordPolicy
from freehold.identity.blocklist import bundled, pack
from freehold.identity.policy import name_parts

POLICY = PasswordPolicy(service_name="Imba")


def reason(password: str, *names: str, has_factor: bool = False) -> str | None:
    try:
        POLICY.check(password, names=names, has_factor=has_factor)
    except Invalid as problem:
        (fault,) = problem.errors
        assert fault.pointer == "/password"
        assert password == "password" or password not in fault.message
        return fault.code
    return None


@pytest.mark.parametrize(
    ("password", "has_factor", "expected"),
    [
        ("fourteen chars", False, "password.too_short"),
        ("fifteen charact", False, None),
        ("seven c", True, "password.too_short"),
        ("eight ch", True, None),
        ("z" * 3 + "q w e" * 12 + "1", False, None),
        ("\u5bc6\u7801\u5f88\u957f\u7684\u4e00\u53e5\u8bdd" * 8, False, None),
        ("kz" * 128, False, None),
        ("kz" * 128 + "k", False, "password.too_long"),
    ],
)
def test_A02_length(password: str, has_factor: bool, expected: str | None) -> None:
    assert reason(password, has_factor=has_factor) == expected


def test_A02_length_is_counted_in_composed_characters() -> None:
    composed = "\u00e9" * 14
    assert reason(unicodedata.normalize("NFD", composed)) == "password.too_short"


@pytest.mark.parametrize(
    "password", ["abcdef ghijkl mnopqr", "ALL CAPITALS HERE", "5 8 2 7 1 9 3 6 4 0 5", "   spaces   around   "]
)
def test_A03_there_are_no_composition_rules(password: str) -> None:
    assert reason(password) is None


@pytest.mark.parametrize(
    "password",
    ["passwordpassword", "PasswordPassword", " passwordpassword ", "123456789012345", "qwertyuiopasdfgh", "1q2w3e4r5t6y7u8i9o0p",
     "qwertyuiopqwertyuiop", "iloveyouiloveyouiloveyou", "11111111111111111111", "111111111111111"],
)  # fmt: skip
def test_A04_common_passwords_of_fifteen_and_more_are_refused(password: str) -> None:
    assert reason(password) == "password.common"


@pytest.mark.parametrize(
    "password", ["password", "12345678", "iloveyou", "Football", "sunshine", "1qaz2wsx", "trustno1"]
)
def test_A04_common_passwords_of_eight_and_more_are_refused(password: str) -> None:
    assert reason(password, has_factor=True) == "password.common"


def test_A04_the_bundled_list_is_large_enough_and_may_be_shipped() -> None:
    # The list holds no words; data/README.md says that 9,755 of its entries have 15 characters or more.
    assert len(bundled()) == 44_513
    data = files("freehold.identity").joinpath("data")
    told = data.joinpath("README.md").read_text(encoding="utf-8")
    assert f"{len(bundled()):,} common passwords" in told
    assert "CC BY" not in told
    notices = data.joinpath("NOTICE.txt").read_text(encoding="utf-8")
    assert all(name in notices for name in ("Seantis", "Miessler", "Dropbox", "Django Software Foundation"))


@pytest.mark.parametrize(
    ("password", "names", "is_refused"),
    [
        ("welcome to IMBA today", (), True),
        ("countess lovelace 1815", ("Ada Lovelace",), True),
        ("LOVELACE countess 1815", ("Ada Lovelace",), True),
        ("adamant ada is short!", ("Ada Lovelace",), False),
        ("countess 1815 counting", ("Ada Lovelace", "ada.l@example.com"), False),
        ("my name is charles.b ok", ("", "Charles.B+spam@example.com"), True),
        ("the example is no name", ("", "charles@example.com"), False),
        ("\u0434\u043e\u043c \u0438\u0432\u0430\u043d\u043e\u0432\u0430 \u043d\u0430 \u0433\u043e\u0440\u0435", ("\u0418\u0432\u0430\u043d\u043e\u0432\u0430",), True),
    ],
)  # fmt: skip
def test_A04_the_names_of_service_and_account_are_refused(
    password: str, names: tuple[str, ...], is_refused: bool
) -> None:
    assert reason(password, *names) == ("password.holds_name" if is_refused else None)


def test_a_lone_surrogate_is_no_text() -> None:
    assert reason("a" * 20 + "\ud800") == "password.malformed"


@given(st.sets(st.text(min_size=1).filter(str.strip), max_size=30), st.text())
def test_a_packed_list_holds_its_words_and_no_others(words: set[str], other: str) -> None:
    listed = Blocklist(pack(words))
    assert all(word in listed for word in words)
    assert all(word.upper() in listed for word in words if word.isascii())
    if other and all(other.casefold().strip().count(word.casefold().strip()) == 0 for word in words):
        assert other not in listed


def test_a_table_of_another_make_is_refused() -> None:
    with pytest.raises(ValueError, match="pack"):
        Blocklist(b"12345")
    assert 7 not in bundled()


@pytest.mark.parametrize("wrong", [{"minimum": 7}, {"minimum_with_factor": 7}, {"maximum": 127}, {"maximum": 5000}])
def test_a_policy_outside_the_standard_is_a_mistake(wrong: dict[str, int]) -> None:
    with pytest.raises(ValueError, match=r"m(ax|in)imum"):
        PasswordPolicy(**wrong)


def test_parts_of_names() -> None:
    assert name_parts("Ada Lovelace", "ada@x.y", "Li") == {"lovelace"}
    assert name_parts("charles.babbage+x@x.y", "1234 5678") == {"charles.babbage"}
