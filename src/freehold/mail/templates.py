"""The words of a mail, in files: `name.subject.txt`, `name.txt` and, if wanted, `name.html`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined, TemplateNotFound, select_autoescape


@dataclass(frozen=True, slots=True)
class Rendered:
    """The parts of a mail, ready for `Mailer.send(session, to=…, **rendered.parts)`."""

    subject: str
    text: str
    html: str | None

    @property
    def parts(self) -> dict[str, Any]:
        """By the names that `Mailer.send` gives them."""
        return {"subject": self.subject, "text": self.text, "html": self.html}


class Templates:
    """Jinja2 templates from folders; the first that has a file wins, so that a service overrides what it is given.

    Values are escaped in HTML and not in text; a name that the context lacks is an error.
    """

    def __init__(self, *folders: Path) -> None:
        self._environment = Environment(
            loader=FileSystemLoader(folders),
            autoescape=select_autoescape(enabled_extensions=("html",), default=False),
            undefined=StrictUndefined,
            keep_trailing_newline=True,
        )

    def render(self, name: str, /, **context: Any) -> Rendered:
        """Fill in the template `name`. Raises jinja2.TemplateNotFound where the subject or the text is missing."""
        subject = self._environment.get_template(f"{name}.subject.txt").render(context)
        text = self._environment.get_template(f"{name}.txt").render(context)
        try:
            html = self._environment.get_template(f"{name}.html").render(context)
        except TemplateNotFound as missing:
            if missing.name != f"{name}.html":  # the file is there and includes one that is not
                raise
            html = None
        # One line whatever the values hold: a line break would end the header.
        printable = "".join(letter if letter.isprintable() else " " for letter in subject)
        return Rendered(" ".join(printable.split()), text, html)
