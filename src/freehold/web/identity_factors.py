"""`/v1/auth/factors`: the second factors of one's own account. All of it needs a log-in of the last five minutes."""

from typing import Any

from fastapi import Request, Response

from freehold.errors import InsufficientAuthentication, NotFound, Problem
from freehold.identity.authentication import TWO_FACTORS
from freehold.identity.factors import challenges, holdings
from freehold.identity.outcomes import outcome_of
from freehold.identity.service import Identity
from freehold.resource.principal import Principal, system
from freehold.store.unit import Unit
from freehold.web.identity_factor_forms import (
    NO_STORE,
    CodesRead,
    FactorAdded,
    FactorList,
    FactorRead,
    FirstCode,
    Named,
    NewPasskey,
    PasskeyQuestion,
    TotpRead,
    answered,
)
from freehold.web.identity_parts import OwnUnitRoute, PathId, below_auth, guarded, known_id, retry_of
from freehold.web.own_account import ACCOUNT, FRESH_ACCOUNT
from freehold.web.path_keys import key_in_path
from freehold.web.runtime import runtime
from freehold.web.unit import Caller, Db, Router, gathered


def factors_router(identity: Identity) -> Router:
    """Every operation below `/v1/auth/factors`."""
    return gathered(part(identity) for part in (_shown, _codes_of_apps, _passkeys, _changed))


def _shown(identity: Identity) -> Router:
    router = below_auth("/factors")

    @router.get("", operation_id="list_factors", dependencies=guarded(ACCOUNT))
    async def listed(db: Db, caller: Caller, response: Response) -> FactorList:
        """Your second factors, whether you have to have one, and how many recovery codes are good still."""
        response.headers["Cache-Control"] = "private, no-store"
        parts, user_id = identity.parts, known_id(caller)
        items = [FactorRead.model_validate(each) for each in await holdings.listed(db, user_id)]
        async with db.unscoped("a user's own roles") as everything:
            user = await parts.accounts.get(everything, user_id)
            required = parts.factors.desk.must_have(user)
        left = await parts.factors.desk.codes_left(db, user_id)
        return FactorList(items=items, is_required=required, recovery_codes_left=left)

    return router


def _codes_of_apps(identity: Identity) -> Router:
    router = below_auth("/factors", route_class=OwnUnitRoute)

    @router.post(
        "/totp",
        operation_id="enrol_totp",
        status_code=201,
        response_model=TotpRead,
        dependencies=guarded(FRESH_ACCOUNT),
    )
    async def enrol(request: Request, caller: Caller, wanted: Named) -> Response:
        """A secret for an authenticator app, shown this once. It counts when its first code is confirmed."""

        async def work(unit: Unit, user: Any) -> Response:
            made = await identity.parts.factors.desk.enrol_totp(unit.session, user, name=wanted.name)
            return answered(TotpRead.model_validate(made), 201)

        return await _own(identity, request, caller, work)

    @router.post(
        "/totp/confirmation",
        operation_id="confirm_totp",
        response_model=CodesRead,
        dependencies=guarded(FRESH_ACCOUNT),
    )
    async def confirm(request: Request, caller: Caller, first: FirstCode) -> Response:
        """The first code of the app. With your first factor come ten recovery codes, shown this once."""

        async def work(unit: Unit, user: Any) -> Response | Problem:
            codes = await identity.parts.factors.desk.confirm_totp(unit.session, user, first.code)
            return codes if isinstance(codes, Problem) else answered(CodesRead(recovery_codes=list(codes)))

        return await _own(identity, request, caller, work)

    return router


def _passkeys(identity: Identity) -> Router:
    router = below_auth("/factors/passkeys", route_class=OwnUnitRoute)

    @router.post(
        "/options",
        operation_id="ask_for_passkey",
        response_model=PasskeyQuestion,
        dependencies=guarded(FRESH_ACCOUNT),
    )
    async def options(request: Request, caller: Caller) -> Response:
        """What `navigator.credentials.create()` takes. The question is good for five minutes, for one answer."""

        async def work(unit: Unit, user: Any) -> Response:
            asked = await identity.parts.factors.desk.passkey_options(unit.session, user, _holder(caller))
            return answered(PasskeyQuestion(public_key=asked))

        return await _own(identity, request, caller, work, keeps=False)

    @router.post(
        "", operation_id="add_passkey", status_code=201, response_model=FactorAdded, dependencies=guarded(FRESH_ACCOUNT)
    )
    async def add(request: Request, caller: Caller, made: NewPasskey) -> Response:
        """Add a passkey. With your first factor come ten recovery codes, shown this once."""

        async def work(unit: Unit, user: Any) -> Response | Problem:
            desk = identity.parts.factors.desk
            added = await desk.add_passkey(unit.session, user, _holder(caller), made.credential, name=made.name)
            return added if isinstance(added, Problem) else answered(FactorAdded.model_validate(added), 201)

        return await _own(identity, request, caller, work)

    return router


def _changed(identity: Identity) -> Router:
    router = below_auth("/factors", route_class=OwnUnitRoute)

    @router.post(
        "/recovery-codes",
        operation_id="renew_recovery_codes",
        response_model=CodesRead,
        dependencies=guarded(FRESH_ACCOUNT),
    )
    async def renew(request: Request, caller: Caller) -> Response:
        """Ten new recovery codes, shown this once. The old ones are dead."""

        async def work(unit: Unit, user: Any) -> Response:
            return answered(CodesRead(recovery_codes=await identity.parts.factors.desk.renew_codes(unit.session, user)))

        return await _own(identity, request, caller, work)

    @router.delete("/{id}", operation_id="remove_factor", status_code=204, dependencies=guarded(FRESH_ACCOUNT))
    async def remove(factor_id: PathId, request: Request, caller: Caller) -> Response:
        """Remove a factor. The last one of an account that has to have one stays."""
        wanted = key_in_path(factor_id)

        async def work(unit: Unit, user: Any) -> Response:
            await identity.parts.factors.desk.remove(unit.session, user, wanted)
            return Response(status_code=204, headers=NO_STORE)

        return await _own(identity, request, caller, work)

    return router


async def _own(identity: Identity, request: Request, caller: Principal, work: Any, *, keeps: bool = True) -> Response:
    """Work on the caller's own factors, their row locked; with a present factor where the account has one (M09).

    keeps: the answer for a retry. A problem that the work returns is raised once the unit is committed.
    """

    async def in_unit(unit: Unit) -> Response | Problem:
        user = await identity.parts.factors.steps.user(unit.session, known_id(caller))
        if user is None:
            raise NotFound
        if not caller.has_factor and await holdings.kinds(unit.session, user.id):
            raise InsufficientAuthentication(acr_values=TWO_FACTORS)
        response: Response | Problem = await work(unit, user)
        if isinstance(response, Problem) or not keeps:
            return response
        return await retry_of(request).settle(unit, response)

    return await outcome_of(runtime(request).database.run(system("a user's own factors"), in_unit))


def _holder(caller: Principal) -> bytes:
    """Questions belong to the log-in that asked."""
    if caller.session_id is None:
        raise InsufficientAuthentication(max_age=300)
    return challenges.of_session(caller.session_id)
