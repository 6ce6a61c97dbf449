"""The settings of Books, under `BOOKS_`. Freehold's own are `FREEHOLD_*`: `freehold settings` lists both."""

from __future__ import annotations

from pydantic import Field

from freehold.settings import ServiceSettings


class BooksSettings(ServiceSettings, prefix="BOOKS_"):
    """What an operator may choose. A wrong value, or a name that is none, stops the start and says so."""

    title: str = Field(
        "Books",
        min_length=1,
        max_length=60,
        description="What documents and mails call the service.",
    )
