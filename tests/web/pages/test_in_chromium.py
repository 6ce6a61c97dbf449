"""The pages in Chromium: by keyboard, on a phone, with passkeys, and as axe sees them (O15).

FREEHOLD_TEST_SCREENSHOTS=<folder> keeps pictures of the views, wide and narrow, light and dark.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyotp
import pytest
from services.imba.tests.browser import PHONE, expect, launched

from freehold.web.pages.languages import catalogues
from tests.web.pages.browser import Person, serving
from tests.web.pages.visitor import EMAIL, PASSWORD

pytestmark = [pytest.mark.long, pytest.mark.timeout(600)]
_AUTHENTICATOR = {
    "protocol": "ctap2",
    "transport": "internal",
    "hasResidentKey": True,
    "hasUserVerification": True,
    "isUserVerified": True,
    "automaticPresenceSimulation": True,
}


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Path]]:
    """Its address, and the folder of its mails."""
    var = tmp_path_factory.mktemp("var")
    with serving(var) as address:
        yield address, var / "mail"


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    with launched() as browser:
        yield browser


@pytest.fixture
def person(chromium: Any, served: tuple[str, Path]) -> Iterator[Person]:
    found = Person(chromium, *served)
    yield found
    assert found.faults == []
    found.context.close()


def test_from_registration_to_a_log_in_with_a_second_factor(person: Person) -> None:
    person.open("/account/registration")
    person.seen("registration")
    person.register()
    person.seen("told")
    person.open(person.link(EMAIL))
    person.seen("verification")
    person.verify()
    person.log_in()
    person.at("/account")
    person.seen("account")
    for path, name in (("sessions", "sessions"), ("password", "password"), ("email", "email"), ("data", "data")):
        person.open(f"/account/{path}")
        person.seen(name)
    person.open("/account/security")
    person.seen("security")
    person.press("Add an authenticator app")
    secret = person.page.locator("main code").inner_text()
    person.page.locator("img.qr").evaluate("image => image.decode()")  # which fails where there is no picture
    person.seen("totp")
    person.fill(code=pyotp.TOTP(secret).now())
    person.press("Confirm")
    person.page.get_by_role("heading", name="Recovery codes").wait_for()
    shown = person.page.locator(".codes code")
    expect(shown).to_have_count(10)
    codes = shown.all_inner_texts()
    person.seen("codes")
    person.log_out()
    person.log_in()
    person.page.get_by_role("heading", name="Second step").wait_for()
    person.seen("factor")
    person.page.get_by_text("Use a recovery code").click()
    person.page.locator("#recovery").fill(codes[0])
    person.page.locator("details button").click()
    person.at("/account")


def test_a_passkey_is_made_and_logs_in_alone(person: Person) -> None:
    devtools = person.context.new_cdp_session(person.page)
    devtools.send("WebAuthn.enable")
    devtools.send("WebAuthn.addVirtualAuthenticator", {"options": _AUTHENTICATOR})
    person.register("grace@example.com")
    person.log_in("grace@example.com")
    person.at("/account")
    person.open("/account/security")
    person.fill(name="This laptop")
    person.press("Add a passkey")
    person.page.get_by_role("heading", name="Recovery codes").wait_for()
    person.page.get_by_role("link", name="I have kept them").click()
    person.page.get_by_text("This laptop").wait_for()
    person.seen("passkeys")
    person.log_out()
    person.seen("log-in")
    person.press("Log in with a passkey")
    person.at("/account")
    person.log_out()
    person.log_in("grace@example.com")
    person.press("Use your passkey")
    person.at("/account")


@pytest.mark.parametrize(
    ("locale", "send", "go_on"), [("en-GB", "Send the link", "Log in"), ("es-ES", "Enviar el enlace", "Iniciar sesión")]
)
def test_a_link_by_mail(chromium: Any, served: tuple[str, Path], locale: str, send: str, go_on: str) -> None:
    person, language, email = Person(chromium, *served, locale=locale), locale[:2], f"link-{locale}@example.com".lower()
    person.open("/account/registration")
    person.fill(full_name="Ada Lovelace", email=email, password=PASSWORD, kind="reader")
    person.page.locator("main button[type=submit]").click()
    person.link(email)
    person.open("/account/log-in")
    person.page.locator("main a.button").first.click()
    person.fill(email=email)
    person.seen(f"{language}-link-ask")
    person.press(send)
    person.page.locator("main p").first.wait_for()
    person.seen(f"{language}-link-sent")
    link = person.link(email, to="/log-in")
    person.open(link)
    person.seen(f"{language}-link-open")
    person.press(go_on)
    person.at("/account")
    person.context.clear_cookies()
    person.open(link)
    person.seen(f"{language}-link-elsewhere")
    assert person.faults == []
    person.context.close()


def test_keys_alone_and_the_focus_on_what_is_wrong(person: Person) -> None:
    person.register("joan@example.com")
    person.open("/account/log-in")
    keyboard = person.page.keyboard
    keyboard.press("Tab")
    assert person.page.evaluate("() => document.activeElement.textContent") == "To the content"
    keyboard.press("Enter")
    keyboard.press("Tab")
    keyboard.type("joan@example.com")
    keyboard.press("Tab")
    keyboard.type("wrong horse battery staple")
    keyboard.press("Enter")
    expect(person.page.locator("#faults")).to_be_focused()
    person.seen("log-in-refused")
    for _ in range(2):
        keyboard.press("Tab")
    assert person.page.evaluate("() => document.activeElement.name") == "password"
    keyboard.type(PASSWORD)
    keyboard.press("Enter")
    person.at("/account")
    assert person.page.evaluate("() => getComputedStyle(document.querySelector('.skip')).position") == "absolute"


def test_a_key_is_shown_once_on_a_phone(chromium: Any, served: tuple[str, Path]) -> None:
    person = Person(chromium, *served, viewport=dict(PHONE))
    person.register("mary@example.com")
    person.log_in("mary@example.com")
    person.at("/account")
    person.open("/account/api-keys")
    person.fill(name="Nightly import")
    person.press("Make the key")
    key = person.page.locator("#new-key").inner_text()
    assert re.fullmatch(r"fh_\w{10}_\w{49}", key)
    person.seen("api-keys")
    person.open("/account/api-keys")
    assert key not in person.page.content()
    person.press("Revoke: Nightly import")
    person.page.get_by_text("The key is revoked.").wait_for()
    assert person.faults == []
    person.context.close()


def test_in_spanish_nothing_is_cut_off_and_nothing_is_english(chromium: Any, served: tuple[str, Path]) -> None:
    person = Person(chromium, *served, locale="es-ES")
    person.open("/account/registration")
    person.seen("es-registration")
    person.fill(full_name="Rosalía de Castro", email="rosalia@example.com", password=PASSWORD, kind="writer")
    person.press("Registrarse")
    person.page.get_by_role("heading", name="Mire su correo").wait_for()
    person.open("/account/log-in")
    person.fill(email="rosalia@example.com", password="wrong horse battery staple")
    person.press("Iniciar sesión")
    person.page.locator("#faults").wait_for()
    person.seen("es-log-in-refused")
    person.open("/account/log-in")
    person.seen("es-log-in")
    person.press("English")
    person.page.get_by_role("heading", name="Log in").wait_for()
    person.press("Español")
    person.fill(email="rosalia@example.com", password=PASSWORD)
    person.press("Iniciar sesión")
    person.at("/account")
    for path in ("", "/sessions", "/security", "/data", "/api-keys"):
        person.open(f"/account{path}")
        person.seen(f"es-account{path.replace('/', '-')}")
        english = [text for text in catalogues().words("es").messages if " " in text]
        assert [text for text in english if f">{text}<" in person.page.content()] == []
    assert person.faults == []
    person.context.close()
