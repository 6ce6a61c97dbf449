"""Redirect addresses under attack (BEHAVIOURS O02)."""

from __future__ import annotations

import pytest

from freehold.errors import Invalid
from freehold.identity.provider.redirects import check, is_registered, origin, with_parameters
from tests.web.oauth.world import CALLBACK, Browser, World

pytestmark = pytest.mark.anyio

HTTPS = "https://planner.example/callback"
NEAR = [
    "https://planner.example/callback/",
    "https://planner.example/callback?x=1",
    "https://planner.example/callback#x",
    "https://planner.example/Callback",
    "https://PLANNER.example/callback",
    "HTTPS://planner.example/callback",
    "http://planner.example/callback",
    "https://planner.example:443/callback",
    "https://planner.example:8443/callback",
    "https://planner.example./callback",
    "https://planner.example.evil.example/callback",
    "https://evil.example/callback",
    "https://evil.example/?https://planner.example/callback",
    "https://planner.example@evil.example/callback",
    "https://evil.example\\@planner.example/callback",
    "https://planner.example\\.evil.example/callback",
    "https://planner.example%2eevil.example/callback",
    "https://planner.example/callback/../evil",
    "https://planner.example/./callback",
    "https://planner.example//callback",
    "https://planner.example/%63allback",
    "https://planner.example/callback%00",
    "https://planner.example/callback\x00",
    "https://planner.example/callback%0d%0aLocation:%20https://evil.example",
    "https://planner.example/callback\r\nX: y",
    "https://planner.example/callback\n",
    " https://planner.example/callback",
    "https://planner.example/callback ",
    "https://planner.ex\u0430mple/callback",
    "//planner.example/callback",
    "/callback",
    "javascript:alert(1)",
    "data:text/html,x",
    "",
]  # fmt: skip


@pytest.mark.parametrize("given", NEAR)
def test_O02_a_near_miss_is_another_address(given: str) -> None:
    assert is_registered(HTTPS, [HTTPS], is_public=True)
    assert not is_registered(given, [HTTPS], is_public=True)


@pytest.mark.parametrize(
    ("given", "same"),
    [
        ("http://127.0.0.1/cb", True),
        ("http://127.0.0.1:1/cb", True),
        ("http://127.0.0.1:65535/cb", True),
        ("http://127.0.0.1:/cb", False),
        ("http://127.0.0.1:65536/cb", False),
        ("http://127.0.0.1:123456/cb", False),
        ("http://127.0.0.1:80@evil.example/cb", False),
        ("http://127.0.0.1:80evil.example/cb", False),
        ("http://127.0.0.1.evil.example/cb", False),
        ("http://127.0.0.1:8000/cb?x", False),
        ("http://127.0.0.1:8000/cb2", False),
        ("http://127.0.0.1:8000/cb\n", False),
        ("https://127.0.0.1:8000/cb", False),
        ("http://127.1:8000/cb", False),
        ("http://0x7f.1:8000/cb", False),
        ("http://localhost:8000/cb", False),
    ],
)
def test_O02_on_this_machine_the_port_alone_may_differ(given: str, same: bool) -> None:
    assert is_registered(given, ["http://127.0.0.1/cb"], is_public=True) is same
    assert is_registered(given.replace("127.0.0.1", "[::1]"), ["http://[::1]:4711/cb"], is_public=True) is same
    assert not is_registered(given, ["http://[::1]/cb"], is_public=True)
    assert not is_registered(given, ["http://127.0.0.1:9/cb"], is_public=False)


@pytest.mark.parametrize(
    "address",
    [
        "https://*.example.com/cb",
        "https://example.com/cb#x",
        "https://user@example.com/cb",
        "https:///cb",
        "https://",
        "http://example.com/cb",
        "http://127.0.0.1.evil.example/cb",
        "https://example.com:x/cb",
        "https://example.com;sandbox/cb",
        "https://example.com,x/cb",
        "https://example.com'x/cb",
        "https://exämple.com/cb",
        "https://example.com/a b",
        "https://example.com/\\evil",
        "javascript:alert(1)",
        "data:text/html,x",
        "file:///etc/passwd",
        "com.example.app:/cb",
        "example:/cb",
        "/cb",
        "",
        "https://example.com/" + "x" * 2000,
    ],
)
def test_what_cannot_be_registered(address: str) -> None:
    with pytest.raises(Invalid):
        check([address], pointer="/redirect_uris", is_public=False)


def test_what_can_be_registered() -> None:
    fine = [
        HTTPS,
        "https://example.com:8443/cb?tenant=1",
        "http://127.0.0.1/cb",
        "http://localhost:3000/cb",
        "http://[::1]/cb",
    ]
    assert check([*fine, HTTPS], pointer="/redirect_uris", is_public=False) == fine
    assert check(["com.example.app:/cb"], pointer="/redirect_uris", is_public=True) == ["com.example.app:/cb"]


def test_parameters_go_behind_those_that_are_there() -> None:
    assert with_parameters("https://a.example/cb", {"a": "b c"}) == "https://a.example/cb?a=b+c"
    assert with_parameters("https://a.example/cb?t=1", {"a": "&"}) == "https://a.example/cb?t=1&a=%26"
    assert origin("https://a.example:8443/cb?x") == "https://a.example:8443"
    assert origin("com.example.app:/cb") == "com.example.app:"
    assert origin("http://[::1]:8080/cb") == "http:", "an address that policies cannot name"


async def test_O02_what_is_not_registered_is_a_page_and_never_a_redirect(world: World, browser: Browser) -> None:
    client = await world.register()
    for given in (*NEAR, None, [CALLBACK, CALLBACK], [CALLBACK, "https://evil.example"]):
        answer = await browser.client.get(world.address(client, redirect_uri=given))
        assert (answer.status_code, "location" in answer.headers) == (400, False), given
        assert "That did not work" in answer.text


async def test_O02_an_unknown_client_is_a_page(world: World, browser: Browser) -> None:
    client = await world.register()
    for client_id in ("", "nobody", "0190" * 8, "01900000-0000-7000-8000-00000000000A", "é", None, client.id.upper()):
        answer = await browser.client.get(world.address(client, client_id=client_id))
        assert (answer.status_code, "location" in answer.headers) == (400, False), client_id


async def test_a_loopback_client_may_choose_its_port(world: World) -> None:
    await world.person()
    client = await world.register(is_public=True, redirect_uris=["http://127.0.0.1/cb"])
    given = await world.tokens(client, redirect_uri="http://127.0.0.1:53121/cb")
    assert given["access_token"]


async def test_O02_a_client_with_a_secret_is_on_a_server_and_keeps_its_port(world: World, browser: Browser) -> None:
    client = await world.register(redirect_uris=["http://127.0.0.1:8080/cb"])
    same = await browser.client.get(world.address(client, redirect_uri="http://127.0.0.1:8080/cb"))
    assert same.status_code == 303, same.text
    other = await browser.client.get(world.address(client, redirect_uri="http://127.0.0.1:8081/cb"))
    assert (other.status_code, "location" in other.headers) == (400, False)
