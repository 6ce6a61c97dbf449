"""The words of a mail, in files: `name.subject.txt`, `name.txt` and, if wanted, `name.html`."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined, TemplateNotFound, select_autoescape

from freehold.mail.styles import inlined

LETTERS = Path(__file__).parent / "letters"
"""Freehold's own: the layout `letter.html`, and `message` for a few paragraphs with a link."""

_LANGUAGE = re.compile(r"[a-zA-Z]{2,8}(-[a-zA-Z0-9]{1,8}){0,3}")


@dataclass(frozen=True, slots=True)
class Rendered:
    """The parts of a mail, ready for `Mailer.send(session, to=…, **rendered.parts)`."""

    subject: str
    text: str
    html: str | None
    language: str | None = None

    @property
    def parts(self) -> dict[str, Any]:
        """By the names that `Mailer.send` gives them."""
        return {"subject": self.subject, "text": self.text, "html": self.html, "language": self.language}


class Templates:
    """Jinja2 templates from folders; the first that has a file wins, so that a service overrides what it is given.

    Values are escaped in HTML and not in text; a name that the context lacks is an error. A style sheet in the HTML is
    written into its elements, for the mail programs that read no other. shared: values that every letter may use.
    """

    def __init__(self, *folders: Path, **shared: Any) -> None:
        self._folders = folders
        self._shared = shared
        self._environments: dict[str | None, Environment] = {}

    def render(self, name: str, /, *, language: str | None = None, **context: Any) -> Rendered:
        """Fill in the template `name`. Raises jinja2.TemplateNotFound where the subject or the text is missing.

        language: as in `de-AT`. The letter is taken whole from the folder `de-AT`, `de` or none, whichever has its text
        first; what it includes may come from a folder further down.
        """
        found = self._language(name, language)
        environment, path = self._environment(found), name if found is None else f"{found}/{name}"
        known = {"service": "", "leave": None} | self._shared | context | {"language": found}
        # One line whatever the values hold: a line break would end the header.
        subject = _one_line(environment.get_template(f"{path}.subject.txt").render(known))
        known["subject"] = subject
        text = environment.get_template(f"{path}.txt").render(known)
        try:
            html = inlined(environment.get_template(f"{path}.html").render(known))
        except TemplateNotFound as missing:
            if missing.name != f"{path}.html":  # the file is there and includes one that is not
                raise
            html = None
        return Rendered(subject, text, html, found)

    def _language(self, name: str, wanted: str | None) -> str | None:
        """The nearest language that the letter is there in."""
        if wanted is None or not _LANGUAGE.fullmatch(wanted):
            return None
        for tag in dict.fromkeys((wanted, wanted.partition("-")[0].lower())):
            if any((folder / tag / f"{name}.txt").is_file() for folder in self._folders):
                return tag
        return None

    def _environment(self, language: str | None) -> Environment:
        if language not in self._environments:
            own = [folder / language for folder in self._folders] if language else []
            self._environments[language] = Environment(
                loader=FileSystemLoader([*own, *self._folders]),
                autoescape=select_autoescape(enabled_extensions=("html",), default=False),
                undefined=StrictUndefined,
                keep_trailing_newline=True,
                trim_blocks=True,
                lstrip_blocks=True,
            )
        return self._environments[language]


def _one_line(subject: str) -> str:
    return " ".join("".join(letter if letter.isprintable() else " " for letter in subject).split())
