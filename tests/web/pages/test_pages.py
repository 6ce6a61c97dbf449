"""The pages of identity, used as a person without a script uses them (O15)."""

from __future__ import annotations

from urllib.parse import urlsplit

import pytest

from freehold.testing import Stage
from tests.web.pages.visitor import EMAIL, PASSWORD, Visitor, letters_in, link_in

pytestmark = pytest.mark.anyio


async def test_somebody_registers_confirms_and_logs_in(stage: Stage, visitor: Visitor) -> None:
    assert "Look into your mail" in await visitor.register()
    assert visitor.page.status_code == 200
    letter = (await letters_in(stage))[-1]
    assert letter.to == EMAIL
    link = link_in(letter)
    await visitor.open(link)
    await visitor.open(link)  # programs that read mail look at links, too
    assert "Your e-mail address is confirmed." in await visitor.fill_in(urlsplit(link).path)
    assert "Your account" in await visitor.log_in()
    assert "not confirmed" not in visitor.page.text
    assert "You are logged out." in await visitor.fill_in("/account/log-out")
    await visitor.open("/account")
    assert visitor.page.url.path == "/account/log-in"


async def test_a_new_password_by_a_link(stage: Stage, visitor: Visitor) -> None:
    await visitor.register()
    await visitor.open("/account/password-reset")
    assert "a link is on its way" in await visitor.fill_in("/account/password-reset", email=EMAIL)
    link = link_in((await letters_in(stage))[-1])
    await visitor.open(link)
    assert "at least 15 characters" in await visitor.fill_in("/reset-password", password="short")
    assert visitor.page.status_code == 422
    assert "Your new password is set" in await visitor.fill_in("/reset-password", password="velvet lantern quarry 7")
    await visitor.log_in()
    assert visitor.page.status_code == 401
    await visitor.log_in(password="velvet lantern quarry 7")
    assert visitor.page.url.path == "/account"
    await visitor.open(link)
    assert "too old, or not the newest" in await visitor.fill_in("/reset-password", password=PASSWORD)


async def test_name_and_language(member: Visitor) -> None:
    assert "Saved." in await member.fill_in("/account", full_name="Ada King", language="")
    assert 'value="Ada King"' in member.page.text
    assert "Gespeichert." in await member.fill_in("/account", full_name="Ada King", language="de")
    assert '<html lang="de">' in member.page.text
