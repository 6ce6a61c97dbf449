"""What never appears in a log line, and how user text is made harmless in one."""

from __future__ import annotations

import re
from collections.abc import Mapping
from itertools import islice
from typing import Any

HIDDEN = "[redacted]"
_MAX_TEXT = 8_192
_MAX_ITEMS = 100
_MAX_DEPTH = 6

_SECRET_NAME = re.compile(
    r"passw|passphrase|secret|token|authoriz|cookie|credential|(?:^|[_\-.])(?:api)?keys?$|otp|private|(?:^|[_\-.])pin$"
    r"|(?:^|[_\-.])codes?$|cvc|cvv|card.?number|(?:^|[_\-.])pan$|session.?(?:id|key)$|signature|verifier|nonce|dsn$",
    re.IGNORECASE,
)
_PUBLIC_NAME = frozenset({"status_code", "exit_code", "problem_code", "error_code", "country_code", "currency_code"})

# Where a secret stands inside free text: a message, an exception, an address. One pass; the first group is kept.
_SECRET_TEXT = re.compile(
    r"((?:set-)?cookie['\"]?\s*[:=]\s*)[^\r\n]+"
    r"|(\b(?:bearer|basic|dpop|digest)\s+)[A-Za-z0-9._~+/=\-]{6,}"
    r"|(://[^\s/:@]{0,100}:)[^\s/@]+(?=@)"
    r"|((?:passw\w{0,20}|passphrase|secret|token|authorization|credential|api[_\-]?key|[_\-]key|otp|cvc|cvv|verifier"
    r"|(?:^|(?<=[?&\s{(,'\"]))code)['\"]?\s*[:=]\s*(?:(?:bearer|basic|dpop)\s+)?['\"]?)[^\s,;&'\"})\]]+"
    r"|\beyJ[A-Za-z0-9_\-]{8,}\.[A-Za-z0-9_\-]+(?:\.[A-Za-z0-9_\-]*)*"
    r"|(\[parameters: ).*?\](?=\s|$)"
    r"|-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|$)"
    r"|\$argon2[a-z]*\$\S+",
    re.IGNORECASE | re.DOTALL,
)
_DIGITS = re.compile(r"(?<![\w])\d(?:[ \-]?\d){12,18}(?![\w])")
# C0, DEL and C1 controls, and what breaks a line or turns its direction in a terminal or a viewer.
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


def _is_card(text: str) -> bool:
    """Whether the digits pass the Luhn check (ISO/IEC 7812-1)."""
    digits = [int(c) for c in reversed(text) if c.isdigit()]
    doubled = (d * 2 - 9 if d > 4 else d * 2 for d in digits[1::2])
    return (sum(digits[::2]) + sum(doubled)) % 10 == 0


def _cover(match: re.Match[str]) -> str:
    kept = next((group for group in match.groups() if group), "")
    return f"{kept}{HIDDEN}"


def _cover_card(match: re.Match[str]) -> str:
    return HIDDEN if _is_card(match.group()) else match.group()


def scrub(text: str, *, limit: int = _MAX_TEXT) -> str:
    """`text` with tokens, passwords, cookies, keys, bound SQL values and card numbers covered; cut at `limit`."""
    if len(text) > limit:
        text = text[:limit] + "…"
    return _DIGITS.sub(_cover_card, _SECRET_TEXT.sub(_cover, text))


def neutral(text: str) -> str:
    """`text` on one line and without terminal codes: each control character becomes its escape."""
    return _CONTROL.sub(lambda match: f"\\u{ord(match.group()):04x}", text)


def is_secret_name(name: str) -> bool:
    """Whether a field of this name is covered whatever it holds."""
    return name not in _PUBLIC_NAME and _SECRET_NAME.search(name) is not None


def clean(value: Any, depth: int = 0) -> Any:
    """A copy of `value` that may be logged: secrets covered, text neutral, sizes bounded."""
    if isinstance(value, bool | float | None):
        return value
    if isinstance(value, int):
        return HIDDEN if 10**12 <= value < 10**19 and _is_card(str(value)) else value
    if isinstance(value, Mapping | list | tuple | set | frozenset):
        return _clean_many(value, depth + 1) if depth < _MAX_DEPTH else "…"
    if isinstance(value, bytes | bytearray):
        return f"<{len(value)} bytes>"
    return neutral(scrub(str(value)))


def _clean_many(value: Any, depth: int) -> Any:
    if isinstance(value, Mapping):
        pairs = islice(value.items(), _MAX_ITEMS)
        return {neutral(str(k))[:200]: HIDDEN if is_secret_name(str(k)) else clean(v, depth) for k, v in pairs}
    return [clean(item, depth) for item in islice(value, _MAX_ITEMS)]
