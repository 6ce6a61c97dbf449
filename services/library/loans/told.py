"""What patrons are told of a loan: the heading and the text."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import TypeAlias

from freehold.wording import Phrase, phrase

Said: TypeAlias = Callable[[str, date], tuple[Phrase, Phrase]]


def due(title: str, day: date) -> tuple[Phrase, Phrase]:
    """It has to be back soon."""
    return phrase("{title}: due soon", title=title), phrase("{title} is due on {day}.", title=title, day=day)


def not_renewed(title: str, day: date) -> tuple[Phrase, Phrase]:
    """The same, where it would have renewed itself."""
    text = phrase("{title} could not be renewed, and is due on {day}.", title=title, day=day)
    return phrase("{title}: due soon", title=title), text


def renewed(title: str, day: date) -> tuple[Phrase, Phrase]:
    """It may stay longer."""
    text = phrase("{title} was renewed, and is due on {day}.", title=title, day=day)
    return phrase("{title}: renewed", title=title), text


def overdue(title: str, day: date) -> tuple[Phrase, Phrase]:
    """It should have been back."""
    text = phrase("{title} was due on {day}: please bring it back.", title=title, day=day)
    return phrase("{title}: overdue", title=title), text
