"""The words of a mail come from files, and values cannot break out of their place."""

from __future__ import annotations

from pathlib import Path

import pytest
from jinja2 import TemplateNotFound, UndefinedError

from freehold.identity import LETTERS as IDENTITY
from freehold.mail import LETTERS, Templates


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "hello.subject.txt").write_text("Hello,\n {{ name }}\n")
    (tmp_path / "hello.txt").write_text("Dear {{ name }},\n\nwelcome.\n")
    (tmp_path / "hello.html").write_text("<p>Dear {{ name }}</p>")
    (tmp_path / "plain.subject.txt").write_text("Plain")
    (tmp_path / "plain.txt").write_text("plain")
    return tmp_path


def test_values_are_escaped_in_html_and_not_in_text(folder: Path) -> None:
    rendered = Templates(folder).render("hello", name="<b>Ü</b>")
    assert rendered.subject == "Hello, <b>Ü</b>"
    assert rendered.text == "Dear <b>Ü</b>,\n\nwelcome.\n"
    assert rendered.html == "<p>Dear &lt;b&gt;Ü&lt;/b&gt;</p>"
    assert rendered.parts == {
        "subject": rendered.subject,
        "text": rendered.text,
        "html": rendered.html,
        "language": None,
    }


def test_a_subject_is_one_line_whatever_the_values(folder: Path) -> None:
    assert Templates(folder).render("hello", name="a\r\nBcc: x\x00y\u2028z").subject == "Hello, a Bcc: x y z"


def test_html_is_optional(folder: Path) -> None:
    assert Templates(folder).render("plain").html is None


def test_the_first_folder_wins(folder: Path, tmp_path: Path) -> None:
    own = tmp_path / "own"
    own.mkdir()
    (own / "plain.txt").write_text("our own")
    assert Templates(own, folder).render("plain").text == "our own"


def test_a_missing_value_or_file_is_an_error(folder: Path) -> None:
    with pytest.raises(UndefinedError):
        Templates(folder).render("hello")
    with pytest.raises(TemplateNotFound):
        Templates(folder).render("nothing")
    (folder / "plain.html").write_text("{% include 'missing.html' %}")
    with pytest.raises(TemplateNotFound, match="missing"):
        Templates(folder).render("plain")


def test_a_style_sheet_is_written_into_the_elements_and_what_cannot_be_stays(folder: Path) -> None:
    (folder / "hello.html").write_text(
        "<html><head><style>p { color: #123456 } @media print { p { color: red } }</style></head>"
        "<body><p>{{ name }}</p></body></html>"
    )
    html = Templates(folder).render("hello", name="A").html or ""
    assert '<p style="color: #123456;">A</p>' in html
    assert "@media print" in html
    assert html.count("#123456") == 1


def test_a_letter_is_taken_whole_from_the_nearest_language(folder: Path) -> None:
    (folder / "de").mkdir()
    (folder / "de" / "hello.subject.txt").write_text("Hallo {{ name }}")
    (folder / "de" / "hello.txt").write_text("Guten Tag")
    templates = Templates(folder)
    for tag in ("de", "de-AT", "DE"):
        rendered = templates.render("hello", language=tag, name="Ü")
        assert (rendered.subject, rendered.text, rendered.html, rendered.language) == (
            "Hallo Ü",
            "Guten Tag",
            None,
            "de",
        )
    for tag in ("fr", None, "", "../de", "x" * 40):
        assert templates.render("hello", language=tag, name="Ü").language is None
    assert templates.render("plain", language="de").subject == "Plain"


TOLD = {
    "minutes": 30,
    "days": 7,
    "provider": "Google",
    "reason": "Asked for help",
    "organisation": "Weavers",
    "left": 3,
    "program": "Firefox",
    "system": "Linux",
    "is_first_proof": True,
}


@pytest.mark.parametrize("name", [path.name.removesuffix(".txt") for path in sorted(IDENTITY.glob("*[a-z].txt"))])
def test_identity_s_letters_are_whole_in_both_forms(name: str) -> None:
    if name.endswith(".subject"):
        return
    link = "https://example.test/x?token=t&u"
    rendered = Templates(IDENTITY, LETTERS, service="The <Shop>").render(name, **{**TOLD, "link": link})
    html = rendered.html or ""
    assert rendered.subject.startswith("The <Shop>: ")
    assert html.count("The &lt;Shop&gt;") >= 2
    assert "<style>@media (prefers-color-scheme: dark)" in html
    is_linked = (IDENTITY / f"{name}.txt").read_text().count("{{ link }}")
    assert rendered.text.splitlines().count(link) == is_linked
    assert html.count('href="https://example.test/x?token=t&amp;u"') == 2 * is_linked


def test_a_message_is_paragraphs_a_link_and_a_way_out() -> None:
    templates = Templates(LETTERS, service="Shop")
    full = templates.render(
        "message", heading="Hi <b>", text="Uno\n\ndos\ntres", link="https://s/1", label="See", leave="https://s/l"
    )
    assert full.subject == "Shop: Hi <b>"
    assert full.text == "Uno\n\ndos\ntres\n\nSee: https://s/1\n\nNo more mails like this: https://s/l\n"
    html = full.html or ""
    assert ">Uno</p>" in html
    assert ">dos<br>tres</p>" in html
    assert html.count('href="https://s/1"') == 2
    assert html.count('href="https://s/l"') == 1
    assert "Hi &lt;b&gt;" in html
    plain = templates.render("message", heading="Hi", text="Uno")
    assert plain.text == "Uno\n"
    assert "href" not in (plain.html or "")


LINKED = {"identity.invitation", "identity.login_link", "identity.reset", "identity.verification", "message"}
GIVEN = {
    **TOLD,
    "link": "https://imba.example/x?token=1",
    "heading": "News",
    "text": "One.\n\nTwo.",
    "label": None,
}


@pytest.mark.parametrize("language", ["es", "de"])
def test_every_letter_is_there_whole_in_every_language(language: str) -> None:
    templates = Templates(IDENTITY, LETTERS, service="Imba")
    names = {
        file.name.removesuffix(".subject.txt")
        for folder in (IDENTITY, LETTERS)
        for file in folder.glob("*.subject.txt")
    }
    for name in names - {"message_in_any_language"}:
        english, found = (
            templates.render(name, language=each, leave="https://x.example", **GIVEN) for each in (None, language)
        )
        assert found.language == language
        assert found.html is not None
        assert english.html is not None
        assert (
            ("Two." in found.text)
            if name == "message"
            else (found.text != english.text and found.subject != english.subject)
        )
        assert found.html.count("<p") == english.html.count("<p")
        assert ("token=1" in found.html) == ("token=1" in found.text) == (name in LINKED)
