"""The service whose pages are tested behind a port of its own, and somebody who looks at them in Chromium."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import uvicorn
from services.imba.tests.browser import DESKTOP, PATIENCE_SECONDS, PHONE, PICTURES, _violations

from freehold.mail import FileMail
from tests.web.pages.service import application
from tests.web.pages.visitor import EMAIL, PASSWORD, link_in

NARROWEST = {"width": 320, "height": 640}


@contextmanager
def serving(var: Path, **more: Any) -> Iterator[str]:
    """The service on `localhost`, where passkeys and secure cookies work without TLS; its address. more: of `application`."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = f"http://localhost:{listener.getsockname()[1]}"
        settings = {"public_url": url, "log_level": "error"}
        app = application(f"sqlite+aiosqlite:///{var}/p.db", var, settings=settings, **more)
        server = uvicorn.Server(uvicorn.Config(app, log_level="error"))
        thread = threading.Thread(target=server.run, args=([listener],))
        thread.start()
        while not server.started and thread.is_alive():
            time.sleep(0.02)
        yield url
        server.should_exit = True
        thread.join(15)


class Person:
    """Somebody at a browser. faults: of scripts, of the content policy, and what axe finds: none."""

    def __init__(self, browser: Any, address: str, mails: Path, *, viewport: Any = None, locale: str = "en-GB") -> None:
        given = {"locale": locale, "viewport": viewport or dict(DESKTOP), "reduced_motion": "reduce"}
        self.context = browser.new_context(**given)
        self.page = self.context.new_page()
        self.page.set_default_timeout(PATIENCE_SECONDS * 1000)
        self.address, self.mails, self.faults = address, mails, []
        self.page.on("pageerror", lambda error: self.faults.append(str(error)))
        self.page.on("console", self._said)

    def _said(self, message: Any) -> None:
        if message.type == "error" and "the server responded with a status of" not in message.text:
            self.faults.append(message.text)

    def open(self, path: str) -> None:
        self.page.goto(self.address + path)

    def fill(self, **fields: str) -> None:
        for name, value in fields.items():
            control = self.page.locator(f"main [name='{name}']:visible").first
            if control.evaluate("element => element.localName") == "select":
                control.select_option(value)
            else:
                control.fill(value)

    def press(self, name: str) -> None:
        self.page.get_by_role("button", name=name, exact=True).first.click()

    def at(self, path: str) -> None:
        self.page.wait_for_url(self.address + path)

    def register(self, email: str = EMAIL) -> None:
        self.open("/account/registration")
        self.fill(full_name="Ada Lovelace", email=email, password=PASSWORD, kind="reader")
        self.press("Register")
        self.page.get_by_role("heading", name="Look into your mail").wait_for()

    def log_in(self, email: str = EMAIL) -> None:
        self.open("/account/log-in")
        self.fill(email=email, password=PASSWORD)
        self.press("Log in")

    def log_out(self) -> None:
        """And wait for the page that follows: another address, asked for before, would cut it short."""
        self.press("Log out")
        self.page.get_by_role("heading", name="Log in").wait_for()

    def verify(self, email: str = EMAIL) -> None:
        self.open(self.link(email))
        self.press("Confirm")
        self.page.get_by_text("Your e-mail address is confirmed.").wait_for()

    def link(self, email: str, *, to: str = "/") -> str:
        """The path of the newest link that was mailed there, to a page of ours; waits for the job that sends it."""
        until, box = time.monotonic() + PATIENCE_SECONDS, FileMail(self.mails)
        while time.monotonic() < until:
            for letter in map(box.read, box.names()):
                if letter.to == email and "token=" in letter.text and link_in(letter).startswith(to):
                    return link_in(letter)
            time.sleep(0.05)
        raise AssertionError(f"no link came to {email}")

    def seen(self, name: str) -> None:
        """Let axe look in both schemes, see that nothing is wider than a narrow phone, and keep pictures if wanted."""
        was = self.page.viewport_size
        for scheme in ("light", "dark"):
            self.page.emulate_media(color_scheme=scheme)
            self.faults += [f"{name}, {scheme}: {each}" for each in _violations(self.page)]
            if PICTURES:
                self._picture(f"{name}-{scheme}", Path(PICTURES))
        self.page.set_viewport_size(NARROWEST)
        wide = self.page.evaluate("() => document.documentElement.scrollWidth")
        if wide > NARROWEST["width"]:
            self.faults.append(f"{name}: {wide} px wide at 320")
        self.page.set_viewport_size(was)
        self.page.emulate_media(color_scheme="light")

    def _picture(self, name: str, folder: Path) -> None:
        import pyvips

        for size in (DESKTOP, PHONE) if name.endswith("light") else (PHONE,):
            self.page.set_viewport_size(size)
            shot = pyvips.Image.new_from_buffer(self.page.screenshot(animations="disabled"), "")
            shot.webpsave(str(folder / f"{name}-{size['width']}.webp"), Q=82, effort=6, keep="none")
