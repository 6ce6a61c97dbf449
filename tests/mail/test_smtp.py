"""Mail by SMTP, against a real server: what is said on the wire, and what becomes of a refusal."""

from __future__ import annotations

import email
import socket
import ssl
from datetime import UTC, datetime, timedelta
from email import policy
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from tests.certificates import certificate
from tests.mail.post_office import PASSWORD, USER, post_office

from freehold.jobs import Backoff, Jobs, dead_letters
from freehold.mail import Mail, Mailer, MailRefused, SmtpMail
from freehold.resource.base import new_id
from freehold.resource.principal import system
from freehold.settings.smtp import SmtpServer
from freehold.store.database import Database
from freehold.store.ledger import LEDGER

pytestmark = pytest.mark.anyio
WHO = f"{quote(USER, safe='')}:{quote(PASSWORD, safe='')}"


def letter(**changes: Any) -> Any:
    values = {"id": new_id(), "sender": "Freehold <no-reply@example.test>", "to": "a@example.test", "subject": "Hi"}
    values |= {"text": "Hello", "sent_at": datetime(2026, 3, 1, tzinfo=UTC)}
    return Mail(**(values | changes)).message()


@pytest.fixture(scope="module")
def contexts(tmp_path_factory: pytest.TempPathFactory) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    return certificate(tmp_path_factory.mktemp("tls"))


class TestUrl:
    @pytest.mark.parametrize(
        ("url", "host", "port", "tls"),
        [
            ("smtp://mail.example.com", "mail.example.com", 587, "starttls"),
            ("smtps://mail.example.com/", "mail.example.com", 465, "implicit"),
            ("smtp://mail.example.com:25?starttls=off", "mail.example.com", 25, "none"),
            ("smtp://127.0.0.1:1025", "127.0.0.1", 1025, "none"),
            ("smtp://[::1]:25?starttls=required", "::1", 25, "starttls"),
        ],
    )
    def test_what_it_says(self, url: str, host: str, port: int, tls: str) -> None:
        server = SmtpServer.parse(url)
        assert (server.host, server.port, server.tls) == (host, port, tls)

    def test_a_password_is_unquoted_and_never_shown(self) -> None:
        server = SmtpServer.parse(f"smtps://{WHO}@mail.example.com")
        assert (server.user, server.password) == (USER, PASSWORD)
        assert server.without_password == "smtps://********@mail.example.com:465"

    @pytest.mark.parametrize(
        ("url", "told"),
        [
            ("http://mail.example.com", "write it as smtp://"),
            ("smtp://", "write it as smtp://"),
            ("smtp://host:port", "not an address"),
            ("smtp://host/path", "write it as smtp://"),
            ("smtp://user@host", "both a user and a password"),
            ("smtps://host?starttls=off", "the only option"),
            ("smtp://host?tls=no", "the only option"),
            ("smtp://user:pw@host?starttls=off", "not sent in the clear"),
        ],
    )
    def test_what_cannot_be_is_refused_with_the_remedy(self, url: str, told: str) -> None:
        with pytest.raises(ValueError, match=told):
            SmtpServer.parse(url)


class TestWire:
    async def test_a_letter_arrives_as_it_was_written_and_no_word_of_it_ends_it(self) -> None:
        async with post_office() as office:
            transport = SmtpMail(f"smtp://127.0.0.1:{office.port}")
            smuggled = "one\r\n.\r\nMAIL FROM:<spy@example.test>\r\n.\nend"
            sent = letter(subject="Grüße", text=smuggled, html="<p>✓</p>")
            await transport.deliver(sent)
            await transport.deliver(letter(to="ü@example.test"))
        first, second = office.taken
        assert (first.mail_from, first.rcpt_tos) == ("no-reply@example.test", ["a@example.test"])
        got = email.message_from_bytes(first.content, policy=policy.default)
        assert got["Subject"] == "Grüße"
        assert got["Message-ID"] == sent["Message-ID"]
        text, html = got.iter_parts()
        assert text.get_content().splitlines() == smuggled.splitlines()
        assert html.get_content().strip() == "<p>✓</p>"
        assert second.rcpt_tos == ["ü@example.test"]

    async def test_starttls_with_a_password(self, contexts: tuple[ssl.SSLContext, ssl.SSLContext]) -> None:
        server, client = contexts
        async with post_office(tls=server, auth=True) as office:
            url = f"127.0.0.1:{office.port}?starttls=required"
            await SmtpMail(f"smtp://{WHO}@{url}", tls=client).deliver(letter())
            with pytest.raises(Exception, match=r"(?i)auth") as refused:  # not the letter's fault: tried again
                await SmtpMail(f"smtp://{quote(USER, safe='')}:wrong@{url}", tls=client).deliver(letter())
            with pytest.raises(Exception, match=r"(?i)certificate"):  # nobody vouches for it
                await SmtpMail(f"smtp://{WHO}@{url}").deliver(letter())
        assert not isinstance(refused.value, MailRefused)
        assert office.was_secure == [True]

    async def test_tls_from_the_first_byte(self, contexts: tuple[ssl.SSLContext, ssl.SSLContext]) -> None:
        server, client = contexts
        async with post_office(tls=server, implicit=True, auth=True) as office:
            await SmtpMail(f"smtps://{WHO}@127.0.0.1:{office.port}", tls=client).deliver(letter())
        assert office.was_secure == [True]

    async def test_a_server_that_offers_no_starttls_gets_no_letter(self) -> None:
        async with post_office() as office:
            with pytest.raises(Exception, match=r"(?i)starttls"):
                await SmtpMail(f"smtp://127.0.0.1:{office.port}?starttls=required").deliver(letter())
        assert office.taken == []


class TestRefusals:
    @pytest.fixture
    async def database(self, tmp_path: Path) -> Any:
        opened = Database.open(f"sqlite+aiosqlite:///{tmp_path}/mail.db")
        await opened.start()
        async with opened.engine.begin() as connection:
            await connection.run_sync(LEDGER.create_all)
        yield opened
        await opened.close()

    async def test_what_is_refused_for_good_is_not_tried_again_and_what_waits_is(
        self, database: Database, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(Backoff, "pause", lambda *_: timedelta(0))
        async with post_office() as office:
            office.says = {
                "gone@example.test": "550 5.1.1 <gone@example.test> no such user",
                "busy@x.test": "451 later",
            }
            mailer = Mailer(SmtpMail(f"smtp://127.0.0.1:{office.port}"), sender="no-reply@example.test")
            async with database.writing(system("test")) as unit:
                for to in ("gone@example.test", "busy@x.test", "well@example.test"):
                    await mailer.send(unit.session, to=to, subject="s", text="t")
            tries = await Jobs(database, jobs=[mailer.job]).run_pending()
        assert tries == 1 + 21 + 1
        assert [envelope.rcpt_tos for envelope in office.taken] == [["well@example.test"]]
        async with database.reading(system("test")) as session:
            gone, busy = sorted((each.error, each.attempts) for each in await dead_letters(session))[::-1]
        assert gone == ("MailRefused: the mail server refused the letter for good: 550 5.1.1", 1)
        assert busy == ("ConnectionError: the mail server could not take the letter now: 451", 21)

    async def test_a_server_that_is_away_is_a_failure_that_is_tried_again(self) -> None:
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))  # and nobody listens there
            with pytest.raises(OSError, match=r"(?i)connect"):
                await SmtpMail(f"smtp://127.0.0.1:{taken.getsockname()[1]}").deliver(letter())
