"""Base64 for addresses, headers and cookies, without padding (RFC 4648, section 5; RFC 7515, appendix C)."""

from __future__ import annotations

import binascii
from typing import Final

_LETTERS: Final = bytes.maketrans(b"+/", b"-_")


def base64url(raw: bytes) -> str:
    """The text of these bytes."""
    return binascii.b2a_base64(raw, newline=False).translate(_LETTERS, b"=").decode()


__all__ = ["base64url"]
