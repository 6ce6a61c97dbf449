"""What the path operations of identity share: their route classes, the client's device, the answer with a user in it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Coroutine
from typing import Annotated, Any, cast
from uuid import UUID

from fastapi import Depends, Path, Request
from fastapi.routing import APIRoute
from fastapi.security import HTTPBearer
from pydantic import ValidationError
from starlette.responses import Response

from freehold.identity.emails import email_key, login_key
from freehold.identity.schemas import plain
from freehold.identity.service import Identity
from freehold.identity.sessions import Device
from freehold.resource.access import Rule, anyone
from freehold.resource.principal import ANONYMOUS, Principal, system
from freehold.store.unit import Unit
from freehold.web import body as request_body
from freehold.web.admission import enter
from freehold.web.adoption import as_included
from freehold.web.execution import caller_address, claim_of, request_key
from freehold.web.identity_retry import Rejudge, Retry
from freehold.web.openapi_responses import headers
from freehold.web.preconditions import entity_tag, not_modified
from freehold.web.runtime import runtime
from freehold.web.unit import Router, UnitRoute, allow, rule_of

# Text and not UUID: an id that is not of its form is 404 like one that never was, and not 422.
PathId = Annotated[str, Path(alias="id")]
Handler = Callable[[Request], Coroutine[Any, Any, Response]]


def below_auth(path: str = "", *, route_class: type[APIRoute] = UnitRoute) -> Router:
    """A router for what is below `/v1/auth`."""
    return Router(prefix=f"/v1/auth{path}", tags=["auth"], route_class=route_class)


# For the document alone: the guard has looked at the credential by the time that dependencies run.
_BEARER = Depends(HTTPBearer(scheme_name="bearer", bearerFormat="JWT", auto_error=False))
Responses = dict[int | str, dict[str, Any]]
TAGGED: Responses = {200: {"headers": headers("ETag")}}
UNCHANGED: Responses = {**TAGGED, 304: {"description": "Not modified", "headers": headers("ETag")}}
CHANGED_MEANWHILE: Responses = {**TAGGED, 412: {"description": "If-Match names another version"}}

FOR_ITS_CALLER = {"Cache-Control": "private, no-cache", "Vary": "Authorization, Cookie"}
"""Of an answer that shows somebody's account."""


async def _not_stored(response: Response) -> None:
    response.headers["Cache-Control"] = "private, no-store"


def guarded(rule: Rule, *, may_store: bool = True) -> list[Any]:
    """The dependencies of an operation that needs a caller, so that the document says so too.

    may_store: False where the answer names other people or what they own: no cache keeps it, not the browser's either.
    """
    return [allow(rule), _BEARER, *([] if may_store else [Depends(_not_stored)])]


def device_of(request: Request) -> Device:
    """The client: its address as the edge found it, and what it calls itself."""
    return Device(caller_address(request), request.headers.get("user-agent", "").replace("\0", ""))


def retry_of(request: Request) -> Retry:
    """The request's Idempotency-Key, for the handler of an `OwnUnitRoute`."""
    found: Retry = request.state.fh_retry
    return found


async def in_unit(
    request: Request, reason: str, work: Callable[[Unit], Awaitable[Any]], response: Response
) -> Response:
    """Do the work and keep its answer for a retry, in one unit; the response."""

    async def both(unit: Unit) -> Response:
        await work(unit)
        return await retry_of(request).settle(unit, response)

    return await runtime(request).database.run(system(reason), both)


class OwnUnitRoute(APIRoute):
    """A route whose handler opens its units itself, around the hashing of passwords and never during it.

    On SQLite an open unit keeps everyone else from writing, and a hash takes as long as a hundred writes. A public
    operation does not look at the Authorization header at all: whoever asks for a new token sends the old one along.
    The handler puts its answer into its unit (`retry_of(request).settle`).
    """

    rejudge: Rejudge | None = None

    @staticmethod
    def sent_with(_: Request) -> bytes:
        """What a retry has to bring along besides the same body, to be told the kept answer."""
        return b""

    def get_route_handler(self) -> Handler:
        """Wrap FastAPI's handler: guard, strict JSON, handler."""
        handler = super().get_route_handler()
        rule = rule_of(as_included(self))

        async def handle(request: Request) -> Response:
            principal = ANONYMOUS
            request_key(request.scope)  # a malformed key is refused as everywhere, before the caller is
            if rule is not None and rule != anyone:
                principal = await enter(request, rule)
            body = await check_json(request)
            retry = Retry(
                runtime(request), claim_of(request, principal, body + self.sent_with(request)), rejudge=self.rejudge
            )
            request.state.fh_retry = retry
            return await retry.around(lambda: handler(request))

        return handle


async def check_json(request: Request) -> bytes:
    """The body, refused when it is JSON that breaks the limits of `freehold.web.body`."""
    body = await request.body()
    media = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if body and (media == "application/json" or media.endswith("+json")):
        request_body.parse(body)
    return body


def registration_route(identity: Identity) -> type[UnitRoute]:
    """The route class of registration: quota, policy and hash come before the unit, the row and its answer within."""

    class RegistrationRoute(UnitRoute):
        def get_route_handler(self) -> Handler:
            handler = super().get_route_handler()

            async def handle(request: Request) -> Response:
                request.state.fh_password_hash = await _hashed(identity, request)
                return await handler(request)

            return handle

    return RegistrationRoute


async def _hashed(identity: Identity, request: Request) -> str | None:
    parts, body = identity.parts, await check_json(request)
    try:
        draft: Any = identity.create.model_validate_json(body)
    except ValidationError:
        await parts.throttle.admit("registration", address=device_of(request).address, person="")
        return None  # the handler says what is wrong
    person = login_key(draft.email)
    await parts.throttle.admit("registration", address=device_of(request).address, person=person)
    password = plain(draft.password)
    has_factor = parts.factors.requirement.of_everyone  # which roles the account will have is not known yet
    parts.policy.check(password, names=(getattr(draft, "full_name", ""), draft.email), has_factor=has_factor)
    await parts.throttle.admit_letter("registration", recipient=email_key(draft.email))
    return await parts.passwords.hash(password)


def check_password(identity: Identity, user: Any, password: str, *, pointer: str = "/password") -> None:
    """Raise Invalid unless the password may be that of `user`; a short one where a second factor is required (A02)."""
    parts = identity.parts
    names, has_factor = (user.full_name, user.email), parts.factors.desk.must_have(user)
    parts.policy.check(password, names=names, has_factor=has_factor, pointer=pointer)


def user_answer(
    identity: Identity, request: Request, user: Any, *, status: int = 200, location: str | None = None
) -> Response:
    """A user as the read schema shows it, with its entity tag; 304 where the client has it already."""
    body = identity.read.model_validate(user, from_attributes=True).model_dump_json(by_alias=True).encode()
    headers = {"ETag": entity_tag(user.row_version, body), **FOR_ITS_CALLER}
    if location is not None:
        headers["Location"] = location
    if request.method in ("GET", "HEAD") and not_modified(request.headers, headers["ETag"]):
        return Response(status_code=304, headers=headers)
    return Response(body, status, headers=headers, media_type="application/json")


def is_staff(identity: Identity, caller: Principal) -> bool:
    """Whether the caller may look at every account."""
    return not caller.roles.isdisjoint(identity.staff_roles)


def known_id(caller: Principal) -> UUID:
    """The caller's id, where the rule has made sure that there is one."""
    return cast(UUID, caller.id)
