"""What others may try with the pages: forged forms (C03), return addresses (L05), guesses at accounts (A01), frames (O15)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from fastapi.routing import iter_route_contexts

from freehold import Freehold
from freehold.testing import Stage
from freehold.web.pages.route import PageRoute
from tests.web.pages.visitor import EMAIL, PASSWORD, Visitor, letters_in

pytestmark = pytest.mark.anyio

FOREIGN: list[dict[str, str]] = [
    {"Origin": "https://evil.example"},
    {"Origin": "null"},
    {"Sec-Fetch-Site": "cross-site"},
    {"Sec-Fetch-Site": "same-site"},
]


def paths(app: Freehold, method: str) -> Iterator[str]:
    """Every page that there is, as the application has it."""
    for context in iter_route_contexts(app.routes):
        route = context.original_route
        if isinstance(route, PageRoute) and method in (route.methods or ()):
            yield context.path


async def token_of(visitor: Visitor) -> str:
    await visitor.open("/account")
    found = re.search(r'name="csrf_token" value="([^"]+)"', visitor.page.text)
    assert found, visitor.page.text
    return found[1]


async def sent(visitor: Visitor, path: str, *, token: str | None, how: str, headers: dict[str, str]) -> Any:
    fields = {"next": "", "email": EMAIL, "password": PASSWORD, **({} if token is None else {"csrf_token": token})}
    body: dict[str, Any] = {"data": fields}
    if how == "json":
        body = {"json": fields}
    elif how == "multipart":
        body = {"files": {name: (None, value) for name, value in fields.items()}}
    return await visitor.client.post(path, headers=headers, follow_redirects=False, **body)


async def test_C03_no_form_is_taken_from_elsewhere(stage: Stage, member: Visitor) -> None:
    own, other = await token_of(member), await token_of(Visitor(stage.app))
    posts = list(paths(stage.app, "POST"))
    assert len(posts) >= 10
    for path in posts:
        for token, headers in [("x", {}), (other, {}), *((own, each) for each in FOREIGN)]:
            answer = await sent(member, path, token=token, how="form", headers=headers)
            assert answer.status_code == 403, (path, headers, answer.text)
        for how, token in (("multipart", other), ("json", own)):  # JSON has no field for it: a header or nothing
            assert (await sent(member, path, token=token, how=how, headers={})).status_code == 403, (path, how)
        override = {"X-HTTP-Method-Override": "GET", "X-HTTP-Method": "GET", "X-Method-Override": "GET"}
        answer = await sent(member, path, token=None, how="form", headers=override)
        assert answer.status_code == 403, path
    await member.open("/account")
    assert member.page.url.path == "/account", "somebody was logged out"


async def test_C03_a_page_that_sends_no_referrer_is_ours_where_the_browser_says_so(member: Visitor) -> None:
    token, sent_by_chromium = await token_of(member), {"Origin": "null", "Sec-Fetch-Site": "same-origin"}
    for headers, status in [(sent_by_chromium, 303), ({**sent_by_chromium, "Sec-Fetch-Site": "none"}, 403)]:
        answer = await sent(member, "/account/log-out", token=token, how="form", headers=headers)
        assert answer.status_code == status
        token = await token_of(member)


async def test_C03_nobody_is_logged_in_or_registered_by_a_page_of_others(stage: Stage, visitor: Visitor) -> None:
    await visitor.register()
    stranger = Visitor(stage.app)
    own, other = await token_of(visitor), await token_of(stranger)
    for path in ("/account/log-in", "/account/registration", "/account/password-reset"):
        for token, headers in [(None, {}), (other, {}), *((own, each) for each in FOREIGN)]:
            answer = await sent(visitor, path, token=token, how="form", headers=headers)
            assert answer.status_code == 403
            assert "__Host-fh_session" not in answer.headers.get("set-cookie", "")


@pytest.mark.parametrize(
    "wanted",
    [
        "//evil.example",
        "/\\evil.example",
        "\\evil.example",
        "https:evil.example",
        "https://evil.example",
        "/%5Cevil.example",
        "/%2Fevil.example",
        "/\t/evil.example",
        "/%09/evil.example",
        "javascript:alert(1)",
        "evil",
        "/\x00",
        "/%0d%0aX: y",
        " /x",
    ],
)
async def test_L05_a_log_in_leads_to_a_path_of_this_site(visitor: Visitor, wanted: str) -> None:
    await visitor.register()
    await visitor.open("/account/log-in")
    form = visitor.form("/account/log-in")
    typed = {**form.fields, "email": EMAIL, "password": PASSWORD, "next": wanted}
    answer = await visitor.client.post("/account/log-in", data=typed, follow_redirects=False)
    assert (answer.status_code, answer.headers["location"]) == (303, "/account")


async def test_a_log_in_leads_back_to_where_one_was(visitor: Visitor) -> None:
    await visitor.register()
    await visitor.open("/account/sessions?a=b")
    assert visitor.page.url.path == "/account/log-in"
    await visitor.fill_in("/account/log-in", email=EMAIL, password=PASSWORD)
    assert str(visitor.page.url).endswith("/account/sessions?a=b")


def plain(text: str) -> str:
    """A page without what differs by chance."""
    return re.sub(r'name="csrf_token" value="[^"]+"', "", text)


async def test_A01_neither_log_in_nor_reset_tells_of_an_account(stage: Stage, visitor: Visitor) -> None:
    await visitor.register()
    seen = []
    for email in (EMAIL, "nix@example.com"):
        other = Visitor(stage.app)
        await other.log_in(email, "wrong horse battery staple")
        seen.append((other.page.status_code, plain(other.page.text).replace(email, "@"), sorted(other.page.headers)))
        await other.open("/account/password-reset")
        await other.fill_in("/account/password-reset", email=email)
        seen.append((other.page.status_code, plain(other.page.text).replace(email, "@"), sorted(other.page.headers)))
    assert seen[:2] == seen[2:]
    assert seen[0][0] == 401
    assert {letter.to for letter in await letters_in(stage)} == {EMAIL}


async def test_O15_no_page_is_framed_kept_or_told_of(stage: Stage, member: Visitor) -> None:
    for path in paths(stage.app, "GET"):
        answer = await member.client.get(path, follow_redirects=False)
        assert answer.headers["cache-control"] == "no-store", path
        assert answer.headers["referrer-policy"] == "no-referrer", path
        assert "frame-ancestors 'none'" in answer.headers["content-security-policy"], path
        assert "unsafe" not in answer.headers["content-security-policy"], path
        assert not re.search(r"<script(?! src=)|\son\w+=|\sstyle=|<style", answer.text), path


async def test_a_bearer_token_opens_no_page(stage: Stage, visitor: Visitor) -> None:
    await visitor.register()
    form = {"grant_type": "password", "username": EMAIL, "password": PASSWORD}
    token = (await visitor.client.post("/v1/auth/token", data=form)).json()["access_token"]
    headers = {"Authorization": f"Bearer {token}"}
    for path in ("/account", "/account/password", "/account/data", "/account/sessions"):
        answer = await Visitor(stage.app).client.get(path, headers=headers)
        assert answer.url.path == "/account/log-in", path


async def test_what_was_typed_is_escaped_and_secrets_are_not_shown_again(visitor: Visitor) -> None:
    evil = '"><script>alert(1)</script>'
    text = await visitor.register(email=evil, full_name=evil, password="hunter two is secret")
    assert visitor.page.status_code == 422
    assert "<script>alert" not in text
    assert "hunter two" not in text
    assert 'aria-describedby=" email-fault"' in text
    assert 'href="#email"' in text
    assert "This is not an e-mail address." in text
