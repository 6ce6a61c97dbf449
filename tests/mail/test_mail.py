"""Mails: owed with their cause, one file each, and no header that was not meant."""

from __future__ import annotations

import email
import os
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from email import policy
from email.message import EmailMessage
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from freehold.jobs import Backoff, Jobs
from freehold.mail import FileMail, Mail, Mailer
from freehold.resource.base import new_id
from freehold.resource.principal import Principal, system
from freehold.store.database import Database
from freehold.store.ledger import LEDGER

pytestmark = pytest.mark.anyio

SENDER = "Freehold <no-reply@example.test>"
MOMENT = datetime(2026, 3, 1, 10, 0, 5, tzinfo=UTC)


def mail(**changes: object) -> Mail:
    values = {
        "id": new_id(),
        "sender": SENDER,
        "to": "a@example.test",
        "subject": "Hi",
        "text": "Hello",
        "sent_at": MOMENT,
    }
    return Mail(**(values | changes))


def read(message: EmailMessage) -> EmailMessage:
    """As a mail program would."""
    return email.message_from_bytes(message.as_bytes(), policy=policy.default)


class TestMessage:
    def test_a_text_and_an_html_part_arrive(self) -> None:
        got = read(mail(subject="Grüße 你好", text="Zeile\n.\nEnde ✓", html="<p>✓</p>").message())
        assert got["Subject"] == "Grüße 你好"
        assert got["From"] == SENDER
        assert got["To"] == "a@example.test"
        assert got["Date"].datetime == MOMENT
        text, html = got.iter_parts()
        assert text.get_content().splitlines() == ["Zeile", ".", "Ende ✓"]
        assert html.get_content().strip() == "<p>✓</p>"

    def test_the_wire_form_is_ascii_with_crlf(self) -> None:
        raw = mail(subject="ü" * 200, text="ü" * 2000).message().as_bytes()
        assert raw.isascii()
        assert raw.count(b"\n") == raw.count(b"\r\n")
        assert max(map(len, raw.splitlines())) <= 998  # RFC 5322 2.1.1

    def test_an_international_domain_is_written_in_ascii_and_a_local_part_as_it_is(self) -> None:
        assert read(mail(to="x@bücher.example").message())["To"] == "x@xn--bcher-kva.example"
        assert "ü@example.test".encode() in mail(to="ü@example.test").message().as_bytes()

    @pytest.mark.parametrize("field", ["subject", "to", "sender"])
    @pytest.mark.parametrize(
        "ending", ["\nBcc: spy@example.test", "\rBcc: x", "\r\n\r\nbody", "\x00", "\x1b[2J", "\u2028x"]
    )
    def test_a_line_break_in_a_header_is_refused(self, field: str, ending: str) -> None:
        with pytest.raises(ValueError, match="line break or control"):
            mail(**{field: "a@example.test" + ending})

    def test_a_way_out_stands_where_mail_programs_look_for_it(self) -> None:
        got = read(mail(leave="https://example.test/mail/leave/abc", language="de-AT").message())
        assert got["List-Unsubscribe"] == "<https://example.test/mail/leave/abc>"
        assert got["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"  # RFC 8058
        assert got["Content-Language"] == "de-AT"
        in_the_clear = read(mail(leave="http://127.0.0.1:8000/mail/leave/abc").message())
        assert in_the_clear["List-Unsubscribe"]
        assert in_the_clear["List-Unsubscribe-Post"] is None

    @pytest.mark.parametrize(
        "value",
        ["", "mailto:a@b.test", "https://x/\r\nBcc: y", "https://x/>,<mailto:y@z.test", "https://x/ y", "https://ü/"],
    )
    def test_a_way_out_that_is_no_web_address_is_refused(self, value: str) -> None:
        with pytest.raises(ValueError, match="no web address"):
            mail(leave=value)
        with pytest.raises(ValueError, match="language"):
            mail(language=f"de{value}\n")

    @pytest.mark.parametrize(
        "to", ["", "a", "a@", "@b", "a b@example.test", "a@b, c@d", "a@example.test>", "<a@example.test>"]
    )
    def test_what_is_no_single_address_is_refused(self, to: str) -> None:
        with pytest.raises(ValueError, match="not a mail address"):
            mail(to=to)

    def test_an_endless_subject_is_refused(self) -> None:
        with pytest.raises(ValueError, match="subject"):
            mail(subject="x" * 501)

    @given(st.text(max_size=200), st.text(max_size=500))
    def test_whatever_the_words_no_header_is_added(self, subject: str, text: str) -> None:
        try:
            raw = mail(subject=subject, text=text).message().as_bytes()
        except ValueError:
            return
        got = email.message_from_bytes(raw, policy=policy.default)
        allowed = {
            "From",
            "To",
            "Subject",
            "Date",
            "Message-ID",
            "Auto-Submitted",
            "MIME-Version",
            "Content-Type",
            "Content-Transfer-Encoding",
        }
        assert set(got.keys()) <= allowed
        assert got["To"] == "a@example.test"


class TestFiles:
    async def test_a_message_becomes_one_private_file_and_replaces_itself(self, tmp_path: Path) -> None:
        folder = tmp_path / "var" / "mail"
        message = mail().message()
        for _ in range(2):
            await FileMail(folder).deliver(message)
        (file,) = folder.iterdir()
        assert file.name.startswith("20260301T100005Z-")
        assert file.suffix == ".eml"
        assert file.stat().st_mode & 0o777 == 0o600
        assert file.read_bytes() == message.as_bytes()

    async def test_a_write_that_fails_leaves_nothing(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        def full(_: int) -> None:
            raise OSError(28, "No space left on device")

        monkeypatch.setattr("os.fsync", full)
        with pytest.raises(OSError, match="No space"):
            await FileMail(tmp_path).deliver(mail().message())
        assert os.listdir(tmp_path) == []  # noqa: PTH208  # the name of what would be left is all that matters


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    opened = Database.open(database_url)
    await opened.start()
    async with opened.engine.begin() as connection:
        await connection.run_sync(LEDGER.create_all)
    yield opened
    await opened.close()


class Flaky:
    """A transport that loses its first connection after the message has left."""

    def __init__(self) -> None:
        self.got: list[EmailMessage] = []

    async def deliver(self, message: EmailMessage) -> None:
        self.got.append(message)
        if len(self.got) == 1:
            raise ConnectionError


class TestMailer:
    async def test_J01_a_mail_goes_out_if_and_only_if_its_cause_commits(
        self, database: Database, tmp_path: Path
    ) -> None:
        mailer = Mailer(FileMail(tmp_path / "mail"), sender=SENDER)
        with pytest.raises(ZeroDivisionError):  # a unit that fails
            async with database.writing(system("test")) as unit:
                await mailer.send(unit.session, to="never@example.test", subject="s", text="t")
                raise ZeroDivisionError
        # The account is gone when the job runs, and the mail that says so goes out nevertheless.
        async with database.writing(Principal(id=new_id())) as unit:
            identity = await mailer.send(unit.session, to="a@example.test", subject="Bye", text="t", html="<p>t</p>")
        assert not (tmp_path / "mail").exists()
        assert await Jobs(database, jobs=[mailer.job]).run_pending() == 1
        (file,) = (tmp_path / "mail").iterdir()
        got = email.message_from_bytes(file.read_bytes(), policy=policy.default)
        assert got["Subject"] == "Bye"
        assert got["Message-ID"] == f"<{identity}@example.test>"

    async def test_J02_a_second_try_has_the_same_message_id_and_date(
        self, database: Database, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(Backoff, "pause", lambda *_: MOMENT - MOMENT)
        transport = Flaky()
        mailer = Mailer(transport, sender=SENDER)
        async with database.writing(system("test")) as unit:
            await mailer.send(unit.session, to="a@example.test", subject="s", text="t")
        assert await Jobs(database, jobs=[mailer.job]).run_pending() == 2
        first, second = transport.got
        assert first.as_bytes() == second.as_bytes()

    async def test_a_wrong_address_is_refused_in_the_callers_unit(self, database: Database) -> None:
        mailer = Mailer(Flaky(), sender=SENDER)
        async with database.writing(system("test")) as unit:
            with pytest.raises(ValueError, match="not a mail address"):
                await mailer.send(unit.session, to="nobody", subject="s", text="t")

    def test_a_wrong_sender_stops_the_start(self) -> None:
        with pytest.raises(ValueError, match="not a mail address"):
            Mailer(Flaky(), sender="Freehold <freehold>")
