"""A writing operation, from the key to the commit: one unit, and the answer after it.

Order: claim of the idempotency key, row under rule and lock, precondition, domain function, flush, audit and outbox,
the stored answer, COMMIT, and only then the first byte (docs/decisions).
"""

from __future__ import annotations

import hmac
import re
import time
from collections.abc import Awaitable, Callable
from contextlib import nullcontext
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

import orjson
from sqlalchemy.exc import DBAPIError, IntegrityError
from starlette.requests import HTTPConnection, Request
from starlette.responses import Response
from starlette.types import Scope

from freehold.errors import BadRequest
from freehold.resource.principal import Principal
from freehold.store import idempotency
from freehold.store.idempotency import Claim
from freehold.store.invariant_breach import breach, refusal
from freehold.store.invariant_flush import tried_in
from freehold.store.protection import Grant
from freehold.store.unit import Unit
from freehold.traffic.limits import address_key
from freehold.web.answer import Frozen, Refused
from freehold.web.runtime import Runtime, runtime

Work = Callable[[Unit], Awaitable[Response]]
ReplayCheck = Callable[[Unit, Any], Awaitable[None]]

_QUOTED = re.compile(r'"((?:[^"\\]|\\["\\])*)"')
_KEY = re.compile(r"[\x21-\x7e]{1,255}")


@dataclass(frozen=True, slots=True)
class Writing:
    """What one write asks of the unit.

    rejudge: looks at the stored answer's row again before a replay, and raises when the caller lost the right (I08);
    rejudge_all: the same where the answer, whose body it gets, is about several.
    subject: the row that the answer is about, once the work has run.
    """

    work: Work
    grant: Grant | None = None
    require_key: bool = False
    rejudge: ReplayCheck | None = None
    rejudge_all: Callable[[Unit, bytes], Awaitable[None]] | None = None
    subject: Callable[[], Any] = lambda: None


def request_key(scope: Scope, *, required: bool = False) -> str | None:
    """The Idempotency-Key, unquoted. Raises BadRequest when it is malformed, repeated, or missing where required."""
    values: list[str] = []
    for name, value in scope["headers"]:
        if name == b"idempotency-key":
            values.append(value.decode("latin-1"))
    if not values:
        if required:
            raise BadRequest("This operation needs an Idempotency-Key header.", code="idempotency.key_required")
        return None
    quoted = _QUOTED.fullmatch(values[0].strip())
    key = re.sub(r"\\(.)", r"\1", quoted.group(1)) if quoted else values[0].strip()
    if len(values) > 1 or not _KEY.fullmatch(key) or (quoted is None and '"' in key):
        raise BadRequest(
            "Idempotency-Key is one quoted or bare string of 1 to 255 visible ASCII characters.",
            code="idempotency.key_malformed",
        )
    return key


def caller_address(request: HTTPConnection) -> str:
    """The client's address, as the edge found it."""
    return address_of(request.scope)


def address_of(scope: Scope) -> str:
    """The same, of a request that is not wrapped up as one."""
    state = scope.get("state")
    found: str | None = state.get("client") if state else None
    return found or (scope["client"][0] if scope.get("client") else "")


def claim_of(request: Request, principal: Principal, body: bytes, *, required: bool = False) -> Claim | None:
    """The use of an Idempotency-Key that this request makes, if any. Raises BadRequest as `request_key` does."""
    key = request_key(request.scope, required=required)
    if key is None:
        return None
    secret = runtime(request).retry_secret
    address = address_key(caller_address(request))
    return Claim(key, principal, fingerprint(request, body, secret=secret), address=address, secret=secret)


def fingerprint(request: Request, body: bytes, *, secret: bytes = b"") -> bytes:
    """What makes two requests the same: method, path, query, and the body after parsing."""
    try:
        canonical = orjson.dumps(orjson.loads(body), option=orjson.OPT_SORT_KEYS) if body else b""
    except (orjson.JSONDecodeError, TypeError):
        canonical = body
    query = request.scope.get("query_string", b"")
    parts = (request.method.encode(), request.scope["path"].encode(), query, canonical)
    return hmac.digest(b"fh-fingerprint\0" + secret, b"".join(sha256(part).digest() for part in parts), "sha256")


async def execute(request: Request, principal: Principal, body: bytes, writing: Writing) -> Response:
    """Carry out a write and commit it; the response is what the client may now be told."""
    parts = runtime(request)
    claim = None
    if request.method in ("POST", "PATCH", "PUT"):
        claim = claim_of(request, principal, body, required=writing.require_key)
    with parts.database.holding(claim) if claim is not None else nullcontext():
        try:
            return await _attempt(parts, request, principal, writing, claim)
        except Refused as refused:
            return refused.response
        except DBAPIError as error:
            # Another machine committed this key between our look and our insert: its answer is the answer.
            if claim is not None and isinstance(error, IntegrityError):
                stored = await _stored(parts, principal, claim)
                if stored is not None:
                    return stored
            raise await explained(parts, principal, error) from error


async def _attempt(
    parts: Runtime, request: Request, principal: Principal, writing: Writing, claim: Claim | None
) -> Response:
    async def work(unit: Unit) -> Response:
        try:
            return await answer(unit)
        except DBAPIError as error:
            # What was tried is known to this session alone, and the explanation is read after the roll-back.
            error.fh_tried = getattr(error, "fh_tried", None) or tried_in(unit.session.sync_session)  # type: ignore[attr-defined]
            raise

    async def answer(unit: Unit) -> Response:
        if claim is not None:
            stored = await idempotency.find(unit, claim)
            if stored is not None:
                return await _replayed(unit, writing, stored)
        response = await writing.work(unit)
        if response.status_code >= 400:
            raise Refused(response)
        await unit.flush()
        if claim is not None and hasattr(response, "body"):  # a stream cannot be kept
            await idempotency.keep(unit, claim, Frozen.of(response).dump(), subject_id=writing.subject())
        return response

    return await parts.database.run(
        principal,
        work,
        deadline=time.monotonic() + parts.deadline_seconds,
        grant=writing.grant,
        request_id=request.scope.get("state", {}).get("request_id"),
    )


async def _replayed(unit: Unit, writing: Writing, stored: idempotency.Stored) -> Response:
    frozen = Frozen.load(stored.answer)
    if writing.rejudge is not None:
        await writing.rejudge(unit, stored.subject_id)
    if writing.rejudge_all is not None:
        await writing.rejudge_all(unit, frozen.body)
    return frozen.replay()


async def explained(parts: Runtime, principal: Principal, error: DBAPIError) -> Exception:
    """The refusal behind a driver's error, if a declared invariant was broken; otherwise the error itself."""
    broken = breach(error, parts.invariants)
    if broken is None:
        return error
    tried = getattr(error, "fh_tried", [])
    return await refusal(
        broken, tried, database=parts.database, principal=principal, hidden=parts.hidden(broken, principal)
    )


async def _stored(parts: Runtime, principal: Principal, claim: Claim) -> Response | None:
    async def look(unit: Unit) -> Response | None:
        found = await idempotency.find(unit, claim)
        return Frozen.load(found.answer).replay() if found is not None else None

    try:
        return await parts.database.run(principal, look)
    except DBAPIError:
        return None
