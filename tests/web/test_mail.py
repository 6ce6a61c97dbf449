"""Mail in an application: who leaves by a link, what development shows, and what the settings choose."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx2
import pytest

from freehold import Freehold, Session, system
from freehold.errors import ConfigurationError
from freehold.mail import FileMail, Leaving, SmtpMail, leave_address, send_letter, send_mail
from freehold.resource.base import new_id
from freehold.settings import Settings

pytestmark = pytest.mark.anyio


def settings(folder: Path, **given: Any) -> Settings:
    return Settings(
        **{"env": "development", "var_dir": folder, "database_url": f"sqlite+aiosqlite:///{folder}/t.db"}
        | {"secret": "q8Zr2LxVtB0mWc5KyNfJ7uGdHsTe9PaX4iQo", "log_level": "error"}
        | given
    )


@asynccontextmanager
async def served(app: Freehold) -> AsyncIterator[httpx2.AsyncClient]:
    async with app.router.lifespan_context(app):
        await app.jobs.stop()  # what is owed is run by the test
        transport = httpx2.ASGITransport(app=app)
        async with httpx2.AsyncClient(transport=transport, base_url="http://127.0.0.1:8000") as client:
            yield client


class Left:
    def __init__(self) -> None:
        self.kinds: list[tuple[UUID, str]] = []

    async def __call__(self, db: Session, person: UUID, kind: str) -> None:
        assert db.principal.is_system
        assert db.unit is not None
        self.kinds.append((person, kind))


async def test_a_link_in_a_mail_leaves_with_one_post_and_never_by_being_looked_at(tmp_path: Path) -> None:
    left, person = Left(), new_id()
    app = Freehold(title="Shop", settings=settings(tmp_path), leave_mail=left)
    async with served(app) as client:
        async with app.database.writing(system("test")) as unit:
            address = leave_address(unit.session, person, "offers & news")
            await send_letter(
                unit.session, "message", to="a@example.test", leave=address, heading="News", text="One.", link=None
            )
        await app.jobs.run_pending()
        asked = await client.get(address)
        assert (asked.status_code, left.kinds) == (200, [])
        assert "offers &amp; news" in asked.text
        assert "form-action 'self'" in asked.headers["content-security-policy"]
        done = await client.post(address, data={"List-Unsubscribe": "One-Click"})  # as a mail program does
        assert done.status_code == 200
        assert left.kinds == [(person, "offers & news")]
        assert (await client.post(address)).status_code == 200  # the page's own form, and twice
        for wrong in (address[:-2], address[:-1] + "ü", address[:-4] + "AAAA", f"{address}AAAA", "/mail/leave/-"):
            for answer in (await client.get(wrong), await client.post(wrong)):
                assert answer.status_code == 404, wrong
        assert len(left.kinds) == 2
    files = FileMail(tmp_path / "mail")
    letter = files.read(files.names()[0])
    assert dict(letter.headers)["List-Unsubscribe"] == f"<{address}>"
    assert address in letter.text
    other = Leaving(left, secret=b"another secret of at least 32 bytes", public_url="http://127.0.0.1:8000")
    with pytest.raises(Exception, match="Not found"):
        other.read(address.rpartition("/")[2])


class TestPreview:
    async def test_it_lists_letters_and_lets_none_of_them_do_anything(self, tmp_path: Path) -> None:
        app = Freehold(title="Shop", settings=settings(tmp_path))
        evil = "<script>alert(1)</script><img src='https://spy.test/x'><form action='/v1'><p style='color:red'>Hi</p>"
        async with served(app) as client:
            assert "No letter" in (await client.get("/dev/mail")).text
            async with app.database.writing(system("test")) as unit:
                await send_mail(unit.session, to="a@example.test", subject="<b>First", text="<i>One", html=evil)
                await send_mail(unit.session, to="b@example.test", subject="Second", text="Two")
            await app.jobs.run_pending()
            listed = await client.get("/dev/mail")
            assert "&lt;b&gt;First" in listed.text
            assert "b@example.test" in listed.text
            assert "script" not in listed.headers["content-security-policy"]
            named = {FileMail(tmp_path / "mail").read(name).subject: name for name in app.mailer.transport.names()}  # type: ignore[attr-defined]
            first = f"/dev/mail/{named['<b>First']}"
            shown = await client.get(first)
            assert "&lt;i&gt;One" in shown.text
            assert "<script" not in shown.text
            assert f'<iframe sandbox="allow-popups" title="HTML" src="{first}/html">' in shown.text
            assert "Message-ID" in shown.text
            html = await client.get(f"{first}/html")
            assert html.text.strip() == evil
            policy = html.headers["content-security-policy"]
            assert policy.startswith("default-src 'none'; style-src 'unsafe-inline'; img-src data:;")
            assert "sandbox allow-popups;" in policy
            assert (await client.get("/dev/mail/style.css")).headers["content-type"].startswith("text/css")
            missing = ("/dev/mail/nothing", "/dev/mail/..%2f..%2ft.db", f"/dev/mail/{named['Second']}/html")
            assert [(await client.get(path)).status_code for path in missing] == [404, 404, 404]

    @pytest.mark.parametrize("env", ["production", "test"])
    async def test_it_is_there_in_development_alone(self, tmp_path: Path, env: str) -> None:
        app = Freehold(settings=settings(tmp_path, env=env, public_url="https://shop.example.com"))
        async with httpx2.AsyncClient(
            transport=httpx2.ASGITransport(app=app), base_url="https://shop.example.com"
        ) as client:
            assert (await client.get("/dev/mail")).status_code == 404
            assert (await client.get("/dev/mail/style.css")).status_code == 404


class TestSettings:
    def test_a_mail_server_takes_the_place_of_files(self, tmp_path: Path) -> None:
        app = Freehold(settings=settings(tmp_path, smtp_url="smtps://mail.example.com", mail_from="Shop <a@shop.test>"))
        assert isinstance(app.mailer.transport, SmtpMail)
        assert app.mailer.transport.server.host == "mail.example.com"
        assert not [route for route in app.routes if getattr(route, "path", "").startswith("/dev/mail")]

    def test_F14_a_sender_that_cannot_be_stops_the_start(self, tmp_path: Path) -> None:
        with pytest.raises(ConfigurationError, match="FREEHOLD_MAIL_FROM: not a mail address"):
            Freehold(settings=settings(tmp_path, mail_from="Shop <shop>"))
