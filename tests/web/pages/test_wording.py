"""Pages in the language of whoever reads them: nothing is missing, nothing is said in English alone."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from freehold import errors, identity
from freehold.errors import Problem
from freehold.identity import factors, social
from freehold.testing import Stage
from freehold.web import csrf, pages
from freehold.web.pages.languages import NAMES, catalogues
from freehold.web.pages.messages import of_problem
from freehold.wording import Phrase, untranslated
from tests.web.pages.visitor import Visitor, letters_in

FOLDER = Path(pages.__file__).parent
TEMPLATES = sorted((FOLDER / "templates").glob("*.html"))
# What the block `width` holds is the name of a class.
_SAID = re.compile(r"\{% block width %\}\w+|\{%.*?%\}|\{\{.*?\}\}|<!--.*?-->", re.DOTALL)
_ATTRIBUTES = re.compile(r'\b(?:alt|title|placeholder|aria-label|aria-description|data-fault|label)="([^"]*)"')
_TAGS = re.compile(r"<[^>]*>")
# They never come to a page: a redirect, a second step or another answer takes their place.
_ELSEWHERE = {
    "auth.factor_required",
    "auth.insufficient_user_authentication",
    "auth.invalid_grant",
    "auth.unauthenticated",
    "identity.more_rights",
    *("login.account_exists", "login.already_linked", "login.attempt_unknown", "login.denied", "login.failed"),
    *("login.email_unverified", "login.registration_needed"),
}


def test_every_phrase_is_there_in_every_language() -> None:
    assert catalogues().languages == ("en", "de", "es")
    assert set(NAMES) == set(catalogues().languages)
    assert untranslated(catalogues(), FOLDER.parent) == []


def bare(template: str) -> list[str]:
    """Words that stand in a template as they are, in its text and in what readers of attributes hear."""
    plain = _SAID.sub("", template)
    said = [*_ATTRIBUTES.findall(plain), *_TAGS.sub("\n", plain).splitlines()]
    return [text.strip() for text in said if re.search(r"[^\W\d_]{2}", text)]


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda path: path.name)
def test_no_template_says_anything_in_english_alone(template: Path) -> None:
    assert bare(template.read_text(encoding="utf-8")) == []


def test_words_that_stand_alone_are_found() -> None:
    assert bare('<p class="a">Log in</p>{{ phrase("Log out") }}') == ["Log in"]
    assert bare('<img alt="A picture" src="x">\n{% if a %}or{% endif %}') == ["A picture", "or"]


def test_every_refusal_of_identity_has_words_for_pages() -> None:
    homes = (identity.__name__, csrf.__name__)
    missing = [
        each.code
        for each in _problems(Problem)
        if each.__module__.startswith(homes)
        and not each.__module__.startswith(f"{identity.__name__}.organisations")
        and each.status < 500
        and each.code not in _ELSEWHERE
        and not isinstance(of_problem(each.code, each.title), Phrase)
    ]
    assert missing == []
    assert {factors.__name__, social.__name__} <= {each.__module__.rpartition(".")[0] for each in _problems(Problem)}
    assert isinstance(of_problem(errors.Forbidden.code, ""), Phrase)


def _problems(root: type[Problem]) -> Iterator[type[Problem]]:
    for each in root.__subclasses__():
        yield each
        yield from _problems(each)


@pytest.mark.anyio
async def test_a_language_is_chosen_at_the_foot_and_kept_by_an_account(stage: Stage, visitor: Visitor) -> None:
    await visitor.open("/account/log-in?next=/account/sessions")
    chosen = await visitor.fill_in("/account/language", language="es")
    assert '<html lang="es">' in chosen
    assert visitor.page.url.query == b"next=/account/sessions"
    assert "Mire su correo" in await visitor.register()
    assert (await letters_in(stage))[-1].subject.startswith("Marginalia: Confirme")
    assert "no son correctos" in await visitor.log_in(password="wrong horse battery staple")
    assert "<footer>" not in visitor.page.text  # one cannot come back to the answer to a form
    await visitor.log_in()
    assert 'value="es" selected' in await visitor.open("/account")
    assert "<footer>" not in visitor.page.text  # the account says which
    assert "Firefox en Linux" in await visitor.open("/account/sessions")
    await visitor.open("/account")
    assert "Gespeichert." in await visitor.fill_in("/account", language="de")
    await visitor.fill_in("/account/log-out")
    assert '<html lang="es">' in visitor.page.text


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("language", "following"), [("tlh", ""), ("de", "//evil.example"), ("de", "https://evil.example")]
)
async def test_nothing_but_a_language_is_kept_and_nobody_is_led_away(
    visitor: Visitor, language: str, following: str
) -> None:
    await visitor.open("/account/log-in")
    await visitor.fill_in("/account/language", language=language, next=following)
    assert visitor.page.url.path == "/account/log-in"
    assert f'<html lang="{language if language == "de" else "en"}">' in visitor.page.text
