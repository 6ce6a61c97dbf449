"""Log-in by a mailed link, on the pages: what a person sees who asks for one and opens it."""

from __future__ import annotations

import pytest

from freehold.testing import Clock, Stage
from tests.web.pages.visitor import EMAIL, Visitor, letters_in, link_in

pytestmark = pytest.mark.anyio
ASK, OPEN = "/account/log-in/link", "/log-in"


async def test_a_link_is_asked_for_on_the_log_in_page_and_opened_by_a_button(stage: Stage, visitor: Visitor) -> None:
    await visitor.register()
    assert f'href="{ASK}?next=%2Faccount%2Fsessions"' in await visitor.open("/account/log-in?next=/account/sessions")
    await visitor.open(f"{ASK}?next=/account/sessions")
    told = await visitor.fill_in(ASK, email=EMAIL)
    assert "within 15 minutes" in told
    link = link_in((await letters_in(stage))[-1])
    await visitor.open(link)
    assert "this link logs you in" in await visitor.open(link)  # looking uses nothing up
    await visitor.fill_in(OPEN)
    assert visitor.page.url.path == "/account/sessions"
    assert "not confirmed" not in await visitor.open("/account")
    await visitor.fill_in("/account/log-out")
    await visitor.open(ASK)
    await visitor.fill_in(ASK, email=EMAIL)
    await visitor.open(link)
    assert "not the newest one" in await visitor.fill_in(OPEN)
    assert visitor.page.status_code == 422


async def test_another_browser_is_told_what_to_do(stage: Stage, visitor: Visitor) -> None:
    await visitor.register()
    await visitor.open(ASK)
    await visitor.fill_in(ASK, email=EMAIL)
    link = link_in((await letters_in(stage))[-1])
    other = Visitor(stage.app, language="es")
    assert "sirve en el navegador que lo pidió" in await other.open(link)
    assert other.forms(OPEN) == []
    await visitor.open(link)
    await visitor.fill_in(OPEN)
    assert visitor.page.url.path == "/account"


async def test_whoever_has_no_password_proves_by_a_link_who_they_are(
    stage: Stage, visitor: Visitor, clock: Clock
) -> None:
    await visitor.register()
    for goal in ("/account", "/account/email"):
        await visitor.open(f"{ASK}?next={goal}")
        await visitor.fill_in(ASK, email=EMAIL)
        await visitor.open(link_in((await letters_in(stage))[-1]))
        await visitor.fill_in(OPEN)  # the first proof of the address: the password is gone
        assert visitor.page.url.path == goal
        clock.advance(minutes=6)
        confirm = await visitor.open("/account/email")
        assert visitor.page.url.path == "/account/confirm"
        assert f'href="{ASK}?next=%2Faccount%2Femail"' in confirm


async def test_A01_the_page_says_the_same_of_an_unknown_address(stage: Stage, visitor: Visitor) -> None:
    await visitor.register()
    pages = []
    for email in (EMAIL, "nobody@example.com"):
        await visitor.open(ASK)
        pages.append((await visitor.fill_in(ASK, email=email)).replace(email, ""))
    assert len({page.split("<main")[1].split("</main>")[0] for page in pages}) == 1
    await visitor.open(ASK)
    assert "This is not an e-mail address." in await visitor.fill_in(ASK, email="nobody")
    assert visitor.page.status_code == 422
