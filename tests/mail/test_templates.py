"""The words of a mail come from files, and values cannot break out of their place."""

from __future__ import annotations

from pathlib import Path

import pytest
from jinja2 import TemplateNotFound, UndefinedError

from freehold.mail import Templates


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
    assert rendered.parts == {"subject": rendered.subject, "text": rendered.text, "html": rendered.html}


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
