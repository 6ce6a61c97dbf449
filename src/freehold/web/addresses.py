"""Addresses of this service as its clients see them: below the path that it is mounted under, if any."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from starlette.types import Scope

_ADDRESSES: Final = frozenset({b"location", b"content-location"})


def root_of(scope: Scope) -> str:
    """The path that the service is mounted under; empty at the root."""
    root: str = scope.get("root_path", "")
    return root.rstrip("/") if root else ""


def address_asked(scope: Scope) -> str:
    """The path of a request as its client sent it.

    Whoever mounts puts its path before that of the request; a proxy that took it off leaves the request's as it is.
    """
    root, path = root_of(scope), str(scope["path"])
    return path if path == root or path.startswith(f"{root}/") else root + path


def below(root: str, headers: Iterable[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
    """The fields of an answer, with the addresses of what was made as clients reach them."""
    prefix = root.encode()
    return [
        (name, prefix + value if name.lower() in _ADDRESSES and _is_bare(value, prefix) else value)
        for name, value in headers
    ]


def _is_bare(address: bytes, root: bytes) -> bool:
    return address.startswith(b"/") and not address.startswith((b"//", root + b"/"))
