"""Reads that a function answers: views below one row, overviews of a collection."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pydantic import BaseModel, TypeAdapter, ValidationError
from starlette.requests import Request
from starlette.responses import Response

from freehold.errors import ConfigurationError, FieldError, Invalid
from freehold.resource.access import Member, Owner, Where
from freehold.resource.declaration import Overview, View
from freehold.resource.document import is_document
from freehold.resource.principal import Principal
from freehold.resource.signatures import needs_user, wants_principal
from freehold.store.replicas import read
from freehold.store.session import Session
from freehold.web import faults
from freehold.web.admission import Endpoint, enter
from freehold.web.preconditions import entity_tag
from freehold.web.reads import JSON, Reads, unknown_parameter
from freehold.web.remembering import Answer, stands_for_many, straight
from freehold.web.rows import load as load_row
from freehold.web.runtime import runtime


def view_endpoint(reads: Reads, view: View, *, answer: Answer = straight) -> Endpoint:
    """GET of a view below one row; the row is judged by the read rule, then by the view's own.

    Of an overview: there is no row, and the rule is about the caller alone. The tag carries the version of the row, which
    is what `If-Match` of an action on the same part compares.
    """
    bound, write = reads.bound, _writer(view.returns)
    media = view.returns.media_type if is_document(view.returns) else JSON
    rule = bound.rule("read") if view.access is None else view.access
    has_row, takes_user = not isinstance(view, Overview), not wants_principal(view.function)

    tables: set[str] = set()

    async def endpoint(request: Request) -> Response:
        principal = await enter(request, rule)

        async def load(viewer: Principal) -> Response:
            key = bound.parse_key(request.path_params["id"]) if has_row else None
            params = [] if (given := _params(reads, request, view.params)) is None else [given]

            async def work(session: Session) -> tuple[bytes, int]:
                row = [await load_row(session, bound, key, rule=view.access)] if has_row else []
                has_user = not stands_for_many(viewer) or not takes_user
                caller = await runtime(request).actor_for(view.function, session) if has_user else None
                version = bound.version_of(row[0]) if row else 0
                return write(await view.function(session, caller, *row, *params)), version

            body, version = await read(runtime(request).database, viewer, work, tables=tables)
            return Response(body, headers={"ETag": entity_tag(version, body)}, media_type=media)

        return await answer(request, principal, load)

    return endpoint


def check_view(resource: str, view: View) -> None:
    """Raise ConfigurationError for a declaration that no request could be answered by."""
    named = f"{resource}: {view.name!r}"
    row_asked = view.access is not None and any(
        isinstance(atom, Owner | Member | Where) for atom in view.access.atoms()
    )
    if isinstance(view, Overview) and row_asked:
        raise ConfigurationError(f"{named} is of no single row, and its access asks one; use role, scope, signed_in")
    if view.cache is not None and not view.cache.per_caller and needs_user(view.function):
        raise ConfigurationError(
            f"{named} is kept for all callers of equal rights, and its function asks for one of them: annotate "
            "`actor: User | None` (None stands for them all), or say Cache(per_caller=True)"
        )


def _params(reads: Reads, request: Request, model: type[BaseModel] | None) -> BaseModel | None:
    if model is None:
        reads.refuse_parameters(request)
        return None
    given: dict[str, str] = {}
    for name, value in request.query_params.multi_items():
        if name in given:
            raise Invalid(errors=[FieldError("query.repeated_parameter", "Give it once.", parameter=name)])
        given[name] = value
    names = {field.alias or name for name, field in model.model_fields.items()}
    unknown = [unknown_parameter(name) for name in given if name not in names]
    if unknown:
        raise Invalid(errors=unknown)
    try:
        return model.model_validate_strings(given)
    except ValidationError as error:
        raise Invalid(errors=[_parameter_fault(fault) for fault in error.errors(include_url=False)]) from None


def _writer(returns: Any) -> Callable[[Any], bytes]:
    """From what a view returns to the bytes of its answer."""
    if is_document(returns):
        return lambda found: bytes(found.content())
    adapter: TypeAdapter[Any] = TypeAdapter(returns)
    return lambda found: adapter.dump_json(adapter.validate_python(found, from_attributes=True), by_alias=True)


def _parameter_fault(fault: Any) -> FieldError:
    return FieldError(faults.code(fault), faults.sentence(fault), parameter=".".join(map(str, fault["loc"])) or "query")
