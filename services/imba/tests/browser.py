"""People in Chromium: the browser, a person's tab, what axe finds in a view, and pictures of views for the docs."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from email import message_from_bytes, policy
from pathlib import Path
from time import monotonic, sleep
from typing import Any

import pytest

# As scripts/find_services.py looks for it, and installs it where it is missing.
NAMES = ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome")
DESKTOP = {"width": 1280, "height": 860}
PHONE = {"width": 390, "height": 844}
# The folder that pictures of the views are written to; without it none are.
PICTURES = os.environ.get("FREEHOLD_TEST_SCREENSHOTS")
PATIENCE_SECONDS = 180.0 if PICTURES else 90.0  # where pictures are wanted, every photo of the demo is made
_MOVE = "(path) => { history.pushState(null, '', path); dispatchEvent(new PopStateEvent('popstate')); }"
_RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"]


def program() -> str | None:
    """The path of a Chromium: FREEHOLD_TEST_CHROMIUM, or the first on the PATH."""
    named = os.environ.get("FREEHOLD_TEST_CHROMIUM")
    return named or next((path for name in NAMES if (path := shutil.which(name))), None)


@contextmanager
def launched() -> Iterator[Any]:
    """A running Chromium. Skips the test where there is none, or fails it where nothing may be skipped."""
    found = program()
    if found is None:
        message = "no Chromium on the PATH: `make services` installs one, FREEHOLD_TEST_CHROMIUM names another"
        if os.environ.get("FREEHOLD_REQUIRE_SERVICES") == "1":
            pytest.fail(message)
        pytest.skip(message)
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found, args=["--no-sandbox", "--disable-gpu"])
        yield browser
        browser.close()


def expect(found: Any) -> Any:
    """playwright's assertions on what is found, tried again as long as everything else is waited for."""
    from playwright.sync_api import expect as promised

    promised.set_options(timeout=PATIENCE_SECONDS * 1000)
    return promised(found)


class Tabs:
    """Opens tabs, each in a window of its own: a tab behind another draws one frame a second, and each click waits for two."""

    def __init__(self, browser: Any, address: str) -> None:
        self._browser, self._address = browser, address
        self._opened: list[Any] = []

    def open(self, *, zone: str = "Europe/Berlin", viewport: Mapping[str, int] = DESKTOP) -> Tab:
        """Another person's tab, in a time zone."""
        options = {"locale": "en-GB", "timezone_id": zone, "reduced_motion": "reduce", "viewport": dict(viewport)}
        self._opened.append(self._browser.new_context(**options))
        return Tab(self._opened[-1].new_page(), self._address)

    def close(self) -> None:
        """Close all of them: a view that nobody looks at any more still asks the service what is new."""
        while self._opened:
            self._opened.pop().close()


class Tab:
    """A person's browser. faults: errors of scripts, breaches of the content policy, and what axe finds: none."""

    def __init__(self, page: Any, address: str) -> None:
        self.page = page
        self.page.set_default_timeout(PATIENCE_SECONDS * 1000)
        self.address = address
        self.faults: list[str] = []
        self.page.on("pageerror", lambda error: self.faults.append(str(error)))
        self.page.on("console", self._said)

    def _said(self, message: Any) -> None:
        # A refusal by the API is also written there by the browser; it is no fault of the client.
        if message.type == "error" and "the server responded with a status of" not in message.text:
            self.faults.append(message.text)

    def load(self, path: str) -> None:
        """Open an address of the client as a new page: it reads what is kept, and counts what is unread."""
        self.page.goto(f"{self.address}/app{path}")

    def go(self, path: str) -> None:
        """Open an address of the client; where that runs already, as its links do."""
        if self.page.url.startswith(f"{self.address}/app"):
            self.page.evaluate(_MOVE, f"/app{path}")
            return
        self.load(path)

    def button(self, name: str) -> Any:
        """A button of the view, not of the head."""
        return self.page.locator("main").get_by_role("button", name=name, exact=True)

    def fill(self, **fields: str) -> None:
        """Fill fields in by their names in the API."""
        for name, value in fields.items():
            control = self.page.locator(f"main [name='{name}']")
            if control.evaluate("element => element.localName") == "select":
                control.select_option(value)
            else:
                control.fill(value)

    def register(self, name: str, email: str, password: str, *, side: str = "tenant") -> None:
        """Make an account, with keys alone, and be signed in."""
        self.go(f"/register?as={side}")
        self.fill(full_name=name, email=email, password=password)
        self.page.keyboard.press("Enter")
        self.page.get_by_role("button", name="Sign out").wait_for()

    def sign_in(self, email: str, password: str) -> None:
        """Sign in."""
        self.go("/sign-in")
        self.fill(username=email, password=password)
        self.page.keyboard.press("Enter")
        self.page.get_by_role("button", name="Sign out").wait_for()

    def verify(self, email: str, mails: Path) -> None:
        """Open the link of the mail that registering sent, which lies in the folder of mails."""
        link = linked(mails, email)
        self.page.goto(self.address + link)
        self.page.get_by_text("your address is verified").wait_for()

    def told(self, words: str) -> None:
        """Wait for a note that the view shows for a moment; the same words stand where they are read out."""
        self.page.locator(".toast", has_text=words).last.wait_for()

    def settled(self) -> None:
        """Wait until the view has drawn what it loads."""
        self.page.locator("main:not(:has(.skeleton)):not(:has([aria-busy]))").wait_for()

    def seen(self, name: str) -> None:
        """Let axe look at the view; and keep pictures of it, wide and narrow, where they were asked for."""
        self.settled()
        self.faults += [f"{name}: {each}" for each in _violations(self.page)]
        if PICTURES:
            self._picture(name, Path(PICTURES))

    def _picture(self, name: str, folder: Path) -> None:
        import pyvips

        was = self.page.viewport_size
        self.page.bring_to_front()
        self.page.mouse.move(0, 0)
        for size in (DESKTOP, PHONE):
            self.page.set_viewport_size(size)
            self.page.evaluate(
                "async () => { document.querySelector('#toasts').replaceChildren(); document.activeElement?.blur(); scrollTo(0, 0); for (const strip of document.querySelectorAll('#head nav ul, .steps ul, .steps')) strip.scrollLeft = (strip.querySelector('[aria-current]')?.offsetLeft ?? 0) - strip.clientWidth / 2; const soon = new Promise((done) => setTimeout(done, 2000)); for (const image of document.images) if (image.src) await Promise.race([image.decode().catch(() => {}), soon]); }"
            )
            shot = pyvips.Image.new_from_buffer(self.page.screenshot(animations="disabled"), "")
            shot.webpsave(str(folder / f"{name}-{size['width']}.webp"), Q=82, effort=6, keep="none")
        self.page.set_viewport_size(was)


def _violations(page: Any) -> list[str]:
    """What axe calls serious or critical, with where it is."""
    from axe_playwright_python import base

    if not page.evaluate("() => Boolean(window.axe)"):
        page.evaluate(base.AXE_FILE_PATH.read_text())
    found = page.evaluate(
        "async (tags) => (await axe.run(document, { runOnly: tags, resultTypes: ['violations'] })).violations"
        ".filter((each) => ['serious', 'critical'].includes(each.impact))"
        ".map((each) => `${each.id}: ${each.nodes.map((node) => node.html.slice(0, 200)).join(' | ')}`)",
        _RULES,
    )
    return list(found)


def linked(mails: Path, email: str) -> str:
    """The path of the newest link that was mailed to an address. Waits for the job that sends it."""
    until = monotonic() + PATIENCE_SECONDS
    while monotonic() < until:
        for file in sorted(mails.glob("*.eml"), reverse=True):
            mail = message_from_bytes(file.read_bytes(), policy=policy.default)
            body = mail.get_body(("plain",))
            words = body.get_content().split() if body is not None and email in mail["To"] else []
            for word in words:
                if "/app/" in word and "token=" in word:
                    return "/app/" + word.partition("/app/")[2]
        sleep(0.02)
    raise AssertionError(f"no mail with a link came to {email}")
