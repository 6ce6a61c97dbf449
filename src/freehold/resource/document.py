"""An answer that is no JSON: a view that returns one is served under its own media type."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any, ClassVar


class Document(ABC):
    """What a view may declare in `returns=` instead of a schema. media_type: with the charset where it is text."""

    media_type: ClassVar[str]

    @abstractmethod
    def content(self) -> bytes:
        """The bytes; the same for the same rows, so that the entity tag stays."""


def is_document(returns: Any) -> bool:
    """Whether `returns` of a view is a class of documents."""
    return isinstance(returns, type) and issubclass(returns, Document)
