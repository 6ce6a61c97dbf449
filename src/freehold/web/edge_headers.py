"""The headers that every answer carries, added where the answer set none of its own."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

RawHeaders = list[tuple[bytes, bytes]]

BY_CALLER = b"Authorization, Cookie, X-API-Key"
_DROPPED = frozenset({b"server", b"x-powered-by"})
_NOSNIFF = (b"x-content-type-options", b"nosniff")
_CSP = (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'")
_REFERRER = (b"referrer-policy", b"no-referrer")
_HSTS = (b"strict-transport-security", b"max-age=31536000; includeSubDomains")
_NO_STORE = (b"cache-control", b"no-store")
_PRIVATE = (b"cache-control", b"private, no-cache")
_REVALIDATE = (b"cache-control", b"no-cache")

_Kept = Sequence[tuple[int, bytes, bytes | None]] | None
# What is added depends on the names of the fields that are there, and on the values of these.
TOLD_BY_VALUE: Final = frozenset({b"content-type", b"vary"})
_MOST_KNOWN: Final = 1_000
_known: dict[tuple[object, ...], tuple[_Kept, RawHeaders]] = {}


def finished(given: RawHeaders, *, status: int, has_credentials: bool, is_https: bool, request_id: bytes) -> RawHeaders:
    """`given` with the security headers, the default Cache-Control, Vary and the request id.

    An error is never stored. Where the answer says nothing about caching, one to a caller who showed credentials is
    private, and Vary names what a caller is known by, for all callers: a shared cache must not hand one's answer to
    another.
    """
    key = (
        status,
        has_credentials,
        is_https,
        *[tuple(pair) if pair[0] in TOLD_BY_VALUE else pair[0] for pair in given],
    )
    known = _known.get(key)
    if known is None:
        known = _worked_out(given, status=status, has_credentials=has_credentials, is_https=is_https)
        if all(name == name.lower() for name, _ in given):
            if len(_known) >= _MOST_KNOWN:
                _known.clear()
            _known[key] = known
    kept, added = known
    headers = [*given] if kept is None else [(name, value or given[place][1]) for place, name, value in kept]
    headers += added
    headers.append((b"x-request-id", request_id))
    return headers


def _worked_out(given: RawHeaders, *, status: int, has_credentials: bool, is_https: bool) -> tuple[_Kept, RawHeaders]:
    """Which fields stay, by place, under which name and with which value of ours (None for all, as they are), and what is added."""
    kept: list[tuple[int, bytes, bytes | None]] = []
    seen: set[bytes] = set()
    vary: list[bytes] = []
    for place, (given_name, value) in enumerate(given):
        name = given_name.lower()
        if name in _DROPPED or name == b"x-request-id":
            continue
        if status == 204 and name == b"content-type":
            continue  # FastAPI's default response class gives one to an answer without content
        if name == b"vary":
            vary.append(value)
            continue
        is_bare = name == b"content-type" and value.startswith(b"text/") and b"charset=" not in value
        kept.append((place, name, value + b"; charset=utf-8" if is_bare else None))
        seen.add(name)
    added = [pair for pair in (_NOSNIFF, _CSP, _REFERRER) if pair[0] not in seen]
    if is_https and _HSTS[0] not in seen:
        added.append(_HSTS)
    vary.append(b"Origin")
    if _NO_STORE[0] not in seen:
        added.append(_cache_control(status, has_credentials=has_credentials, sets_cookie=b"set-cookie" in seen))
        vary.append(BY_CALLER)
    added.append((b"vary", _joined(vary)))
    is_as_given = [(name, value) for _, name, value in kept] == [(name, None) for name, _ in given]
    return (None if is_as_given else kept), added


def _cache_control(status: int, *, has_credentials: bool, sets_cookie: bool) -> tuple[bytes, bytes]:
    if status >= 400 or sets_cookie:
        return _NO_STORE
    return _PRIVATE if has_credentials else _REVALIDATE


def _joined(values: Sequence[bytes]) -> bytes:
    """One Vary of all, each name once, as first spelt."""
    names = [name.strip() for value in values for name in value.split(b",") if name.strip()]
    spelt = {name.lower(): name for name in reversed(names)}
    return b", ".join(spelt[key] for key in dict.fromkeys(name.lower() for name in names))
