"""Base64 for addresses, headers and cookies, without padding (RFC 4648, section 5; RFC 7515, appendix C)."""

from __future__ import annotations

import base64


def base64url(raw: bytes) -> str:
    """The text of these bytes."""
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


__all__ = ["base64url"]
