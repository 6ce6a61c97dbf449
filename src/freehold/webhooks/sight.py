"""`Sight`: the port by which webhooks see rows as the API shows them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

from sqlalchemy.orm import DeclarativeBase

if TYPE_CHECKING:
    from freehold.store.session import Session

Whole: TypeAlias = Callable[["Session", type[DeclarativeBase], Any], Awaitable[dict[str, Any]]]
Seen: TypeAlias = Callable[["Session", type[DeclarativeBase], str], Awaitable[frozenset[str] | None]]


@dataclass(frozen=True, slots=True)
class Sight:
    """Rows of the resources of an application, in their JSON form.

    whole: every field of a row that is there, for a session in system scope. seen: the fields that the session's caller
    sees of a row; None where it may not read it, or it is gone.
    """

    whole: Whole
    seen: Seen
