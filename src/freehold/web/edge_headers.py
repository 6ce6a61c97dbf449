"""The headers that every answer carries, added where the answer set none of its own."""

from __future__ import annotations

from functools import lru_cache

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


def finished(given: RawHeaders, *, status: int, has_credentials: bool, is_https: bool, request_id: bytes) -> RawHeaders:
    """`given` with the security headers, the default Cache-Control, Vary and the request id.

    An error is never stored. Where the answer says nothing about caching, one to a caller who showed credentials is
    private, and Vary names what a caller is known by, for all callers: a shared cache must not hand one's answer to
    another.
    """
    headers: RawHeaders = []
    seen: set[bytes] = set()
    vary: list[bytes] = []
    for given_name, value in given:
        name = given_name.lower()
        if name in _DROPPED or name == b"x-request-id":
            continue
        if status == 204 and name == b"content-type":
            continue  # FastAPI's default response class gives one to an answer without content
        if name == b"vary":
            vary.append(value)
            continue
        if name == b"content-type" and value.startswith(b"text/") and b"charset=" not in value:
            headers.append((name, value + b"; charset=utf-8"))
        else:
            headers.append((name, value))
        seen.add(name)
    for pair in (_NOSNIFF, _CSP, _REFERRER):
        if pair[0] not in seen:
            headers.append(pair)
    if is_https and _HSTS[0] not in seen:
        headers.append(_HSTS)
    vary.append(b"Origin")
    if _NO_STORE[0] not in seen:
        headers.append(_cache_control(status, has_credentials=has_credentials, sets_cookie=b"set-cookie" in seen))
        vary.append(BY_CALLER)
    headers.append((b"vary", _joined(tuple(vary))))
    headers.append((b"x-request-id", request_id))
    return headers


def _cache_control(status: int, *, has_credentials: bool, sets_cookie: bool) -> tuple[bytes, bytes]:
    if status >= 400 or sets_cookie:
        return _NO_STORE
    return _PRIVATE if has_credentials else _REVALIDATE


@lru_cache(maxsize=256)
def _joined(values: tuple[bytes, ...]) -> bytes:
    """One Vary of all, each name once, as first spelt."""
    names = [name.strip() for value in values for name in value.split(b",") if name.strip()]
    spelt = {name.lower(): name for name in reversed(names)}
    return b", ".join(spelt[key] for key in dict.fromkeys(name.lower() for name in names))
