"""The pages of one's account: what they change, and what they ask for first (A10)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest

from freehold.resource import clock
from freehold.testing import Stage
from tests.web.pages.visitor import EMAIL, PASSWORD, Visitor, letters_in

pytestmark = pytest.mark.anyio
NEXT = "velvet lantern quarry 7"


@pytest.fixture
def six_minutes_later() -> Iterator[None]:
    """From now on."""
    later = clock.now() + timedelta(minutes=6)
    yield clock.set_source(lambda: later)
    clock.set_source(None)


async def test_a_new_password_ends_every_other_log_in(stage: Stage, member: Visitor) -> None:
    other = Visitor(stage.app)
    await other.log_in()
    await member.open("/account/password")
    assert "current_password" in member.page.text
    assert "not your password" in await member.fill_in("/account/password", current_password="no", new_password=NEXT)
    assert member.page.status_code == 401
    before = member.client.cookies["__Host-fh_session"]
    done = await member.fill_in("/account/password", current_password=PASSWORD, new_password=NEXT)
    assert "Your password is changed." in done
    assert member.client.cookies["__Host-fh_session"] != before
    await other.open("/account")
    assert other.page.url.path == "/account/log-in"


async def test_another_address(stage: Stage, member: Visitor) -> None:
    await member.open("/account/email")
    assert "not an e-mail" in await member.fill_in("/account/email", email="x", current_password=PASSWORD)
    done = await member.fill_in("/account/email", email="ada@elsewhere.example", current_password=PASSWORD)
    assert "Open the link that we have sent to the new address" in done
    assert "ada@elsewhere.example" in {letter.to for letter in await letters_in(stage)}


async def test_K02_what_cannot_be_the_scope_of_a_key_is_shown_again(member: Visitor) -> None:
    await member.open("/account/api-keys")
    for wrong in ('books"x', "b\u00fccher", "x" * 101, " ".join(f"s{number}" for number in range(51))):
        text = await member.fill_in("/account/api-keys", name="importer", days="90", scopes=wrong)
        assert member.page.status_code == 422, wrong[:20]
        assert "This cannot be used here." in text and "fh_" not in text
    made = await member.fill_in("/account/api-keys", name="importer", days="90", scopes="books:read books:write")
    assert "fh_" in made


@pytest.mark.parametrize("path", ["/account/password", "/account/email", "/account/data"])
async def test_A10_what_protects_the_account_asks_once_more(
    member: Visitor, path: str, request: pytest.FixtureRequest
) -> None:
    await member.open(path)
    assert member.page.url.path == path
    request.getfixturevalue("six_minutes_later")
    await member.fill_in(path, current_password=PASSWORD, new_password=NEXT, email="b@example.com") if (
        path != "/account/data"
    ) else await member.fill_in("/account/data/deletion", current_password=PASSWORD)
    assert member.page.url.path == "/account/confirm"
    assert "This is not your password." in await member.fill_in("/account/confirm", password="no")
    before = member.client.cookies["__Host-fh_session"]
    await member.fill_in("/account/confirm", password=PASSWORD)
    assert member.page.url.path == path
    assert member.client.cookies["__Host-fh_session"] != before


async def test_log_ins_are_listed_and_ended(stage: Stage, member: Visitor) -> None:
    other = Visitor(stage.app)
    await other.log_in()
    text = await member.open("/account/sessions")
    assert text.count('class="quiet" aria-label="End the log-in: Firefox on Linux"') == 2
    assert text.count("this one") == 1
    await other.open("/account/sessions")
    mine = [each for each in ids(text) if each in ids(other.page.text)]
    assert len(mine) == 2
    stranger = Visitor(stage.app)
    await stranger.register("eve@example.com", full_name="Eve")
    await stranger.log_in("eve@example.com")
    await stranger.open("/account/sessions")
    await stranger.fill_in("/account/sessions/end", session=mine[0])
    assert stranger.page.status_code == 404
    await member.fill_in("/account/sessions/end-all")
    assert "You are logged out." in member.page.text
    await other.open("/account")
    assert other.page.url.path == "/account/log-in"


def ids(text: str) -> list[str]:
    return [part.split('"', 1)[0] for part in text.split('name="session" value="')[1:]]


async def test_one_takes_everything_and_leaves(stage: Stage, member: Visitor) -> None:
    await member.open("/account/data")
    await member.fill_in("/account/data/export")
    assert member.page.headers["content-disposition"].startswith("attachment")
    assert member.page.headers["cache-control"] == "no-store"
    assert member.page.json()["user"]["email"] == EMAIL
    await member.open("/account/data")
    assert "Your account is deleted." in await member.fill_in("/account/data/deletion", current_password=PASSWORD)
    await member.log_in()
    assert member.page.status_code == 401
