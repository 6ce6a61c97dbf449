"""Answers of reading operations that are kept and given again, never one caller's to another.

What makes an answer is asked by the *viewer*: the caller, as far as the key of the answer knows it. Callers of equal
rights are one viewer, without an id; where a rule of what is read asks who the caller is, the viewer is the caller. So an
answer cannot depend on more than its key says. Which tables are read, and with them which rules count and which commits
make the answer old, is seen when it is made.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import replace
from hashlib import blake2b
from typing import Any, Final
from uuid import UUID

import orjson
from starlette.requests import Request
from starlette.responses import Response

from freehold.resource.access import Member, Owner, Recent, Rule, Where, WithFactor
from freehold.resource.caching import Cache
from freehold.resource.principal import ANONYMOUS, Principal
from freehold.store.protection import Protection, Registry
from freehold.store.touched import tables_read
from freehold.traffic.cache import Made
from freehold.web.edge_fields import CREDENTIALS
from freehold.web.preconditions import entity_tag, not_modified
from freehold.web.runtime import runtime

Load = Callable[[Principal], Awaitable[Response]]
Answer = Callable[[Request, Principal, Load], Awaitable[Response]]

SOMEBODY: Final = UUID("00000000-0000-7000-8000-000000000000")
"""The id of a viewer who stands for everyone of equal rights: signed in, and nobody's."""

_NOT_SHARED = frozenset({"set-cookie", "content-range"})
_OF_THE_EXCHANGE = frozenset({"content-length", "date", "connection"})


def stands_for_many(viewer: Principal) -> bool:
    """Whether a viewer has no row of its own to be loaded."""
    return viewer.id == SOMEBODY


async def straight(request: Request, principal: Principal, load: Load) -> Response:
    """Keep nothing: the answer is made for this request."""
    return conditional(request, await load(principal))


def conditional(request: Request, response: Response) -> Response:
    """304 in place of an answer that the client has (RFC 9110 15.4.5)."""
    tag = response.headers.get("etag")
    if response.status_code != 200 or tag is None or not not_modified(request.headers, tag):
        return response
    kept = {name: response.headers[name] for name in ("ETag", "Cache-Control", "Vary") if name in response.headers}
    return Response(status_code=304, headers=kept)


class Remembered:
    """The kept answers of one operation.

    rules: those that the operation itself asks. keeps_roles: for a function that looks at its caller's roles itself.
    """

    def __init__(self, operation: str, cache: Cache, *, rules: Iterable[Rule] = (), keeps_roles: bool = False) -> None:
        self.operation = operation
        self.cache = cache
        self._rules = list(rules)
        self._keeps_roles = keeps_roles
        self._tables: set[str] = set()
        self._viewers: dict[Any, Principal | None] = {}

    async def __call__(self, request: Request, principal: Principal, load: Load) -> Response:
        """The answer for this caller: a kept one, or what `load` makes for the viewer that it is."""
        parts = runtime(request)
        answers = parts.traffic.answers
        if answers is None:
            return await straight(request, principal, load)
        registry = parts.database.registry
        while True:
            viewer = self.viewer(principal)

            async def make(viewer: Principal = viewer) -> Made:
                with tables_read() as tables:
                    try:
                        response = await load(viewer)
                    finally:
                        self._learn(tables, registry)
                is_shared = _is_shared(response)
                may_keep = is_shared and response.status_code == 200 and self.viewer(principal) == viewer
                return Made(_dump(response), frozenset(tables), may_keep=may_keep, may_share=is_shared)

            try:
                value, age = await answers.answer(self.operation, self._key(request, viewer), self.cache, make)
            except Exception:
                if self.viewer(principal) == viewer:
                    raise
                continue  # rules that were not known of before tell callers apart whom this viewer stood for
            if self.viewer(principal) == viewer:
                return conditional(request, self._response(request, value, viewer, age))

    def viewer(self, principal: Principal) -> Principal:
        """Whom this caller sees the answer as."""
        kind = (principal.rights, self._authenticated(principal))
        if kind not in self._viewers:
            if len(self._viewers) > 1000:
                self._viewers.clear()
            self._viewers[kind] = self._shared(principal)
        shared = self._viewers[kind]
        return self._plain(principal) if shared is None else shared

    def _shared(self, principal: Principal) -> Principal | None:
        """The viewer of everyone with these rights; None where it matters who the caller is."""
        if self.cache.per_caller and principal.id is not None:
            return None
        left = [rule.simplify(principal) for rule in self._rules]
        if any(_asks_who(atom) for rule in left for atom in rule.atoms()):
            return None
        if not self._keeps_roles and left == [rule.simplify(ANONYMOUS) for rule in self._rules]:
            return ANONYMOUS
        who = None if principal.id is None else SOMEBODY
        return self._plain(replace(principal, id=who, claims={}, reason=None))

    def _plain(self, principal: Principal) -> Principal:
        """Without what tells one log-in from another, unless a rule asks for that."""
        key_id = principal.key_id if principal.id is None else None  # without it, a key of the service is nobody
        plain = replace(principal, session_id=None, key_id=key_id, withheld=frozenset())
        return plain if self._authenticated(principal) else replace(plain, authenticated_at=None, amr=frozenset())

    def _authenticated(self, principal: Principal) -> tuple[Any, ...]:
        """What the rules that ask how the caller logged in come to; empty where none asks."""
        asked = [atom for rule in self._rules for atom in rule.atoms() if isinstance(atom, Recent | WithFactor)]
        return (*(atom.simplify(principal) for atom in asked), *sorted(principal.amr)) if asked else ()

    def _learn(self, tables: set[str], registry: Registry) -> None:
        """Take the rules of tables into account that were not known to be read."""
        new = tables - self._tables
        found = [protection for name in sorted(new) if (protection := registry.find(name)) is not None]
        self._tables |= new
        rules = [rule for protection in found for rule in _rules_of(protection)]
        if rules:
            self._rules += rules
            self._viewers.clear()

    def _key(self, request: Request, viewer: Principal) -> str:
        scopes = None if viewer.scopes is None else sorted(viewer.scopes)
        who: list[Any] = [viewer.id, viewer.key_id is None, viewer.client_id is None, sorted(viewer.roles), scopes]
        scope = request.scope  # as it was sent, since an endpoint may look at its own address
        asked = [scope["scheme"], scope["root_path"], scope["path"], scope.get("raw_path"), scope["query_string"]]
        headers = [request.headers.getlist(name) for name in self.cache.vary]
        who.append(self._authenticated(viewer))
        parts = [self.operation, who, sorted(viewer.claims.items()), asked, headers]
        return blake2b(repr(parts).encode("utf-8", "backslashreplace"), digest_size=20).hexdigest()

    def _response(self, request: Request, value: bytes, viewer: Principal, age: float) -> Response:
        response = _load(value)
        vary = [*self.cache.vary]
        if self.cache.client_seconds and response.status_code == 200:
            has_credentials = any(name.decode() in request.headers for name in CREDENTIALS)
            kind = "private" if has_credentials or viewer != ANONYMOUS else "public"
            if kind == "public":  # everyone's answer tells nobody's quota
                request.scope["state"].pop("fh_headers", None)
            left = max(0, min(self.cache.client_seconds, int(self.cache.seconds - age)))
            response.headers["Cache-Control"] = f"{kind}, max-age={left}"
            vary += ["Authorization", "Cookie", "X-API-Key"]
        for name in vary:
            response.headers.add_vary_header(name)
        return response


def remembering(
    operation: str, cache: Cache | None, *, rules: Iterable[Rule] = (), keeps_roles: bool = False
) -> Answer:
    """How an operation answers: from what is kept, where that is declared."""
    return straight if cache is None else Remembered(operation, cache, rules=rules, keeps_roles=keeps_roles)


def _asks_who(atom: Rule) -> bool:
    return isinstance(atom, Owner | Member) or (isinstance(atom, Where) and atom.takes_caller)


def _rules_of(protection: Protection) -> Sequence[Rule]:
    return [protection.access.read, *protection.access.read_fields.values()]


def _is_shared(response: Response) -> bool:
    """Whether an answer is one for everyone whom its key stands for."""
    policy = response.headers.get("cache-control", "")
    return not any(word in policy for word in ("no-store", "private")) and _NOT_SHARED.isdisjoint(response.headers)


def _dump(response: Response) -> bytes:
    """Status, headers and body in one piece. Raises TypeError for what is no whole body."""
    if not hasattr(response, "body") or response.background is not None:
        raise TypeError("an operation whose answers are kept returns a whole body, without background tasks")
    headers = [
        (name.decode("latin-1"), value.decode("latin-1"))
        for name, value in response.raw_headers
        if name.decode("latin-1") not in _OF_THE_EXCHANGE
    ]
    if response.status_code == 200 and "etag" not in response.headers:
        headers.append(("etag", entity_tag(0, bytes(response.body))))
    return orjson.dumps([response.status_code, headers]) + b"\n" + bytes(response.body)


def _load(value: bytes) -> Response:
    head, _, body = value.partition(b"\n")
    status, headers = orjson.loads(head)
    response = Response(body, status)
    length = [pair for pair in response.raw_headers if pair[0] == b"content-length"]
    response.raw_headers = [*length, *((k.encode("latin-1"), v.encode("latin-1")) for k, v in headers)]
    return response
