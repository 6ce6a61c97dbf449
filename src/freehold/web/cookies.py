"""Take a cookie from the browser."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from starlette.responses import Response

_LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)


def take_cookie(response: Response, name: str, *, samesite: Literal["lax", "strict"] = "lax") -> None:
    """Have the browser drop a cookie of this site (RFC 6265, section 3.1).

    The date is always the same one, so that two answers that say the same are equal in every byte.
    """
    response.set_cookie(
        name, "", max_age=0, expires=_LONG_AGO, path="/", secure=True, httponly=True, samesite=samesite
    )  # fmt: skip


__all__ = ["take_cookie"]
