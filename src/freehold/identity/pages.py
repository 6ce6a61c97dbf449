"""`Pages`: whether a service shows pages of its own for its accounts, and how they look."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING

from freehold.errors import ConfigurationError
from freehold.identity.returning import return_path

if TYPE_CHECKING:
    from freehold.wording import Catalogues, Phrase

_COLOR = re.compile(r"#[0-9a-fA-F]{6}")


@dataclass(frozen=True, slots=True)
class Pages:
    """Server-rendered pages for log-in, registration and everything about one's account, below `/account`.

    color: `#rrggbb`, of buttons and links; it is made darker or lighter until text on it and in it is readable (4.5:1).
    home: where somebody goes who has logged in without having been on the way to anywhere; a path of this service.
    labels: of the fields that the service's own registration has (`{"account": "I am a"}`), by their name.
    words: catalogues of the service, for labels and sentences of scopes that are a `phrase`; plain text stays as it is.
    """

    color: str = "#1f5f8b"
    home: str = "/account"
    labels: Mapping[str, str | Phrase] = field(default_factory=lambda: MappingProxyType({}))

    words: Catalogues | None = None

    def __post_init__(self) -> None:
        if not _COLOR.fullmatch(self.color):
            raise ConfigurationError(f"Pages(color={self.color!r}): write it as #rrggbb")
        if not return_path(self.home, otherwise=""):
            raise ConfigurationError(f"Pages(home={self.home!r}): a path of this service, as in /account")
