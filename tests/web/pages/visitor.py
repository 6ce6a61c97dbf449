"""A person's browser without a script: it reads pages, fills in their forms and keeps cookies."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import httpx2

from freehold import Freehold
from freehold.mail import FileMail
from freehold.testing import Stage

PASSWORD = "lantern quarry velvet 42"
EMAIL = "ada@example.com"


@dataclass
class PostForm:
    """A form of a page. fields: names and values as they stand there."""

    action: str
    fields: dict[str, str] = field(default_factory=dict)


class _Reader(HTMLParser):
    """Collects the forms; browsers do the same."""

    def __init__(self) -> None:
        super().__init__()
        self.forms: list[PostForm] = []
        self._is_inside = False
        self._select = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "form":
            self.forms.append(PostForm(given.get("action", "")))
            self._is_inside = True
        elif self._is_inside and tag == "input" and given.get("type") != "checkbox":
            self.forms[-1].fields[given.get("name", "")] = given.get("value", "")
        elif self._is_inside and tag == "select":
            self._select = given["name"]
        elif self._is_inside and tag == "option" and "selected" in given:
            self.forms[-1].fields[self._select] = given["value"]

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._is_inside = False


class Visitor:
    """One browser. page: the last answer."""

    def __init__(self, app: Freehold, *, language: str = "en") -> None:
        self.app = app
        self.client = httpx2.AsyncClient(
            transport=httpx2.ASGITransport(app=app, raise_app_exceptions=False),
            base_url="https://testserver",
            headers={"Accept-Language": language, "User-Agent": "Firefox/150.0 Linux"},
            follow_redirects=True,
        )
        self.page: Any = None

    async def open(self, path: str) -> str:
        """Go to a page; its text."""
        self.page = await self.client.get(path)
        return str(self.page.text)

    def forms(self, action: str) -> list[PostForm]:
        """The forms of the page at hand with this path."""
        reader = _Reader()
        reader.feed(self.page.text)
        return [each for each in reader.forms if each.action == action]

    def form(self, action: str) -> PostForm:
        """The first of them."""
        found = self.forms(action)
        assert found, f"no form for {action}\n{self.page.text}"
        return found[0]

    async def fill_in(self, action: str, **typed: str) -> str:
        """Fill in a form of the page and send it; the text of what comes."""
        form = self.form(action)
        self.page = await self.client.post(form.action, data={**form.fields, **typed})
        return str(self.page.text)

    async def register(self, email: str = EMAIL, **typed: str) -> str:
        """Through the registration page."""
        await self.open("/account/registration")
        given = {"full_name": "Ada Lovelace", "email": email, "password": PASSWORD, "kind": "reader", **typed}
        return await self.fill_in("/account/registration", **given)

    async def log_in(self, email: str = EMAIL, password: str = PASSWORD, *, to: str = "") -> str:
        """Through the log-in page. to: the return address in its own address."""
        await self.open("/account/log-in")
        return await self.fill_in("/account/log-in", email=email, password=password, next=to)


async def letters_in(stage: Stage) -> list[Any]:
    """Every letter that has left, the newest last."""
    await stage.app.jobs.run_pending()
    mail = FileMail(Path(stage.app.settings.var_dir) / "mail")
    return [mail.read(name) for name in reversed(mail.names())]


def link_in(letter: Any) -> str:
    """The path of the first link of a letter."""
    found = re.search(r"https?://[^/\s]+(/\S+)", letter.text)
    assert found, letter.text
    return found[1]
