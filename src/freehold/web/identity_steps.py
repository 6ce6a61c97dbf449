"""The second step of a log-in, and log-in by a passkey alone: below `/v1/auth`, opened by a step token and nothing else."""

from typing import Any

from fastapi import Request, Response
from pydantic import BaseModel, SecretStr

from freehold.errors import InsufficientAuthentication, Problem
from freehold.identity.authentication import PASSWORD, Authentication
from freehold.identity.factors import challenges
from freehold.identity.factors.proving import Proved
from freehold.identity.outcomes import outcome_of
from freehold.identity.schemas import plain
from freehold.identity.service import Identity
from freehold.resource.access import anyone, scope, signed_in
from freehold.resource.principal import system
from freehold.store.unit import Unit
from freehold.web.identity_browser import BrowserEnrolledRead, BrowserSessionRead
from freehold.web.identity_factor_forms import (
    AccessRead,
    EnrolledRead,
    MaybeStep,
    PasskeyQuestion,
    StepCode,
    StepCredential,
    StepName,
    StepPasskey,
    StepQuestion,
    StepRead,
    StepToken,
    TotpRead,
    answered,
)
from freehold.web.identity_finish import Finishing
from freehold.web.identity_parts import OwnUnitRoute, below_auth, device_of, guarded, known_id
from freehold.web.identity_tokens import TokenRead, token_route
from freehold.web.unit import Caller, Router, allow, gathered

PUBLIC = [allow(anyone)]
LoggedIn = TokenRead | AccessRead | BrowserSessionRead
Enrolled = EnrolledRead | BrowserEnrolledRead


class StepUpForm(BaseModel, extra="forbid"):
    """password: for an account without a second factor, which proves that instead."""

    password: SecretStr | None = None


def steps_router(identity: Identity) -> Router:
    """Every operation that a step token opens, and the two that give one to a log-in that has none yet."""
    router = below_auth(route_class=token_route(identity))
    finishing = Finishing(identity)
    _proofs(router, identity, finishing)
    _enrolment(router, identity, finishing)
    return gathered([router, _step_up(identity)])


def _proofs(router: Router, identity: Identity, finishing: Finishing) -> None:
    @router.post("/totp", operation_id="prove_totp", response_model=LoggedIn, dependencies=PUBLIC)
    async def by_totp(request: Request, sent: StepCode) -> Response:
        """Go on with a code of your app."""
        prove, device = identity.parts.factors.proving.by_totp, device_of(request)
        return await prove(sent.step_token, sent.code, address=device.address, finish=await finishing.of(request, sent))

    @router.post("/recovery-code", operation_id="prove_recovery_code", response_model=LoggedIn, dependencies=PUBLIC)
    async def by_code(request: Request, sent: StepCode) -> Response:
        """Go on with a recovery code, which is used up. You are told by mail."""
        prove, device = identity.parts.factors.proving.by_recovery_code, device_of(request)
        return await prove(sent.step_token, sent.code, address=device.address, finish=await finishing.of(request, sent))

    @router.post(
        "/passkey/options", operation_id="ask_for_passkey_login", response_model=StepQuestion, dependencies=PUBLIC
    )
    async def options(request: Request, sent: MaybeStep) -> Response:
        """What `navigator.credentials.get()` takes. Without a step token it begins a log-in by passkey alone."""
        await identity.parts.throttle.admit_factor(address=device_of(request).address)
        token, asked = await identity.parts.factors.proving.passkey_options(sent.step_token)
        return answered(StepQuestion(step_token=token, public_key=asked))

    @router.post("/passkey", operation_id="prove_passkey", response_model=LoggedIn, dependencies=PUBLIC)
    async def by_passkey(request: Request, sent: StepCredential) -> Response:
        """Go on, or log in, with a passkey."""
        await identity.parts.throttle.admit_factor(address=device_of(request).address)
        prove = identity.parts.factors.proving.by_passkey
        return await prove(sent.step_token, sent.credential, finish=await finishing.of(request, sent))


def _enrolment(router: Router, identity: Identity, finishing: Finishing) -> None:
    @router.post(
        "/totp/enrolment",
        operation_id="enrol_totp_at_login",
        status_code=201,
        response_model=TotpRead,
        dependencies=PUBLIC,
    )
    async def enrol(request: Request, sent: StepName) -> Response:
        """Set up codes of an app, where you have to have a second factor and have none."""
        await identity.parts.throttle.admit_factor(address=device_of(request).address)
        desk = identity.parts.factors.desk
        made = await identity.parts.factors.proving.enrolling(
            sent.step_token, lambda session, step: desk.enrol_totp(session, step.user, name=sent.name)
        )
        return answered(TotpRead.model_validate(made), 201)

    @router.post(
        "/totp/enrolment/confirmation",
        operation_id="confirm_totp_at_login",
        response_model=Enrolled,
        dependencies=PUBLIC,
    )
    async def confirm(request: Request, sent: StepCode) -> Response:
        """The first code of the app: you are logged in, and get ten recovery codes."""
        prove, device = identity.parts.factors.proving.confirm_totp, device_of(request)
        return await prove(sent.step_token, sent.code, address=device.address, finish=await finishing.of(request, sent))

    @router.post(
        "/passkey/enrolment/options",
        operation_id="ask_for_passkey_at_login",
        response_model=PasskeyQuestion,
        dependencies=PUBLIC,
    )
    async def options(request: Request, sent: StepToken) -> Response:
        """What `navigator.credentials.create()` takes, where you have to have a second factor and have none."""
        await identity.parts.throttle.admit_factor(address=device_of(request).address)
        desk, holder = identity.parts.factors.desk, challenges.of_step(sent.step_token)
        asked = await identity.parts.factors.proving.enrolling(
            sent.step_token, lambda session, step: desk.passkey_options(session, step.user, holder)
        )
        return answered(PasskeyQuestion(public_key=asked))

    @router.post(
        "/passkey/enrolment", operation_id="add_passkey_at_login", response_model=Enrolled, dependencies=PUBLIC
    )
    async def register(request: Request, sent: StepPasskey) -> Response:
        """Add your first passkey: you are logged in, and get ten recovery codes."""
        await identity.parts.throttle.admit_factor(address=device_of(request).address)
        prove = identity.parts.factors.proving.register_passkey
        return await prove(sent.step_token, sent.credential, name=sent.name, finish=await finishing.of(request, sent))


def _step_up(identity: Identity) -> Router:
    router = below_auth(route_class=OwnUnitRoute)

    @router.post(
        "/step-up",
        operation_id="step_up",
        response_model=StepRead | AccessRead | BrowserSessionRead,
        dependencies=guarded(signed_in & scope("account")),
    )
    async def step_up(request: Request, caller: Caller, form: StepUpForm) -> Response:
        """Make an open log-in fresh: by a factor where you have one (a step token comes), else by your password."""
        parts, user_id = identity.parts, known_id(caller)
        if caller.session_id is None:
            raise InsufficientAuthentication(max_age=300)
        session_id, held = caller.session_id, caller.scopes

        async def begin(unit: Unit) -> Any:
            return await parts.factors.gate.step_up(unit.session, user_id, session_id=session_id, scope=held)

        due = await parts.database.run(system("step up"), begin)
        if due is not None:
            return answered(StepRead(**{name: due.extra[name] for name in StepRead.model_fields}))
        if form.password is None:
            raise InsufficientAuthentication(max_age=300)
        await parts.log_in.check(user_id, plain(form.password))

        async def work(unit: Unit) -> Response | Problem:
            user = await parts.factors.steps.user(unit.session, user_id)
            proved = Proved(user, Authentication.by(PASSWORD), held, session_id)
            return await Finishing(identity).stronger(request, unit, proved)

        return await outcome_of(parts.database.run(system("step up"), work))

    return router
