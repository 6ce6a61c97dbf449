"""Accounts: register, change, close. Each function runs in its caller's unit; none commits."""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any
from uuid import UUID

from pydantic import BaseModel
from sqlalchemy import inspect as mapping_of
from sqlalchemy import select

from freehold.errors import FieldError, Invalid, NotFound
from freehold.identity import one_time
from freehold.identity.addresses import Addresses, EmailTaken
from freehold.identity.browser_sessions import BrowserSessions
from freehold.identity.emails import email_key
from freehold.identity.first_proof import prove_address
from freehold.identity.notices import Notices, language_of
from freehold.identity.sessions import Sessions
from freehold.identity.users import UserMixin
from freehold.resource import clock
from freehold.resource.base import new_id
from freehold.store.audit import record

if TYPE_CHECKING:
    from freehold.store.session import Session

__all__ = ["Accounts", "EmailTaken", "Hook"]

Hook = Callable[..., Awaitable[Any] | Any]

# Set by identity alone, whatever a service's own schema holds.
OWN = frozenset(
    {"email", "password", "email_key", "password_hash", "roles", "is_active", "email_verified_at", "deleted_at"}
)


class _Undone(Exception):  # no fault: it rolls a savepoint back
    """What was done for an address that is taken is not to stay."""


class Accounts:
    """The accounts of one service. See `Identity` for the hooks."""

    def __init__(
        self,
        sessions: Sessions,
        browser_sessions: BrowserSessions,
        notices: Notices,
        *,
        user: type[UserMixin],
        role_names: Sequence[str] | None,
        on_register: Hook | None,
    ) -> None:
        self._sessions = sessions
        self._browser_sessions = browser_sessions
        self._notices = notices
        self._user: Any = user
        self._addresses = Addresses(user=user)
        self._role_names = role_names
        self._on_register = on_register

    async def register(
        self,
        session: Session,
        draft: BaseModel,
        *,
        password_hash: str | None,
        language: str | None = None,
        is_verified: bool = False,
    ) -> UUID:
        """Add an account; its id. Fields of `draft` that the user model has are taken over.

        language: of letters, where the model has such a column and the draft names none. is_verified: the address is proved.
        Raises EmailTaken, also for the later of two registrations at one moment.
        """
        async with session.unscoped("registration: nobody owns the row yet") as db:
            await self._addresses.require_free(db, email_key(draft.email), None)  # type: ignore[attr-defined]
            user = await self._added(db, draft, password_hash=password_hash, language=language, is_verified=is_verified)
            await self.ask_for_verification(db, user)
            user_id: UUID = user.id
        return user_id

    async def register_quietly(
        self, session: Session, draft: BaseModel, *, password_hash: str | None, language: str | None = None
    ) -> None:
        """As `register`, where accounts are concealed: for an address that has one its owner is told, and nobody else.

        The same is done for either; for a taken one it is undone: an account at an address that nobody can have (A01).
        """
        address: str = draft.email  # type: ignore[attr-defined]
        async with session.unscoped("registration: nobody owns the row yet") as db:
            owner = await self._addresses.owner_of(db, email_key(address))
            free = draft if owner is None else draft.model_copy(update={"email": f"{new_id()}@taken.invalid"})
            with suppress(_Undone):
                async with db.begin_nested():
                    user = await self._added(db, free, password_hash=password_hash, language=language)
                    token, reads = await self._verification_of(db, user), language_of(user)
                    if session.unit is not None:
                        await session.unit.trail.write(session.unit)
                    if owner is not None:
                        raise _Undone
            if owner is None:
                await self._notices.verification(db, address, token, one_time.LIFETIME, language=reads)
            else:
                await self._notices.already_registered(db, address, language=owner.language)

    async def _added(
        self,
        db: Session,
        draft: BaseModel,
        *,
        password_hash: str | None,
        language: str | None,
        is_verified: bool = False,
    ) -> Any:
        user = self._user(**_extras(draft, self._user))
        user.set_email(draft.email)  # type: ignore[attr-defined]
        user.password_hash, user.roles = password_hash, []
        user.email_verified_at = clock.now() if is_verified else None
        if language is not None and language_of(user) is None:
            user.language = language
        async with self._addresses.taking(db, user.email_key, None):
            db.add(user)
            await call(self._on_register, db, user, draft)
            await db.flush()
        await record(db, "user.registered", subject_type="user", subject_id=user.id, after={"roles": user.roles})
        return user

    async def ask_for_verification(self, session: Session, user: Any) -> None:
        """Mail the link that proves the address, unless it is proved."""
        if user.email_verified_at is not None:
            return
        token = await self._verification_of(session, user)
        await self._notices.verification(session, user.email, token, one_time.LIFETIME, language=language_of(user))

    async def _verification_of(self, session: Session, user: Any) -> str:
        return await one_time.issue(session, user_id=user.id, purpose=one_time.VERIFICATION, email_key=user.email_key)

    async def tell_owner_of_registration(self, session: Session, email: str) -> None:
        """Somebody tried to register a taken address, where that is concealed."""
        async with session.unscoped("the owner of an address is told") as db:
            owner = await self._addresses.owner_of(db, email_key(email))
            reads = None if owner is None else owner.language
            await self._notices.already_registered(db, email, language=reads)

    async def verify(self, session: Session, token: str) -> None:
        """Redeem the link that was mailed to an address: it is proved, or taken on. Raises Invalid, EmailTaken."""
        async with session.unscoped("a verification link names its user") as db:
            proof = await one_time.redeem(db, token, purpose=one_time.VERIFICATION, or_purpose=one_time.ADDRESS)
            user = await self.get(db, proof.user_id, lock=True)
            if proof.purpose == one_time.ADDRESS:
                await self._take_address(db, user, proof)
                return
            if user.email_key != proof.email_key:
                raise one_time.unknown_token()
            if user.email_verified_at is None:
                user.email_verified_at = clock.now()
                await record(db, "user.email_verified", subject_type="user", subject_id=user.id)

    async def send_reset(self, db: Session, key: str, *, unless_fresh: bool) -> None:
        """Mail a reset link to the owner of an address, if there is one. Runs as a job, out of the request's time.

        unless_fresh: not where a link that was mailed before is good for some time yet: it serves whoever reads that mail.
        """
        user = (await db.execute(select(self._user).where(self._user.email_key == key))).scalar_one_or_none()
        if user is None or not user.is_active:
            return
        if unless_fresh and await one_time.is_fresh(db, user.id, purpose=one_time.RESET):
            return
        token = await one_time.issue(db, user_id=user.id, purpose=one_time.RESET, email_key=user.email_key)
        await self._notices.reset(db, user.email, token, one_time.LIFETIME, language=language_of(user))

    async def reset_password(self, session: Session, token: str, password_hash: str) -> None:
        """Redeem a reset link: the new password, and the end of every log-in. Raises Invalid.

        Where nobody had proved the address before, whoever registered it may have been somebody else: what they left to
        come in by is gone, second factors too.
        """
        async with session.unscoped("a reset link names its user") as db:
            proof = await one_time.redeem(db, token, purpose=one_time.RESET)
            user = await self.get(db, proof.user_id, lock=True)
            if user.email_key != proof.email_key or not user.is_active:
                raise one_time.unknown_token()
            await prove_address(db, user)  # the link came by it
            await self._set_password(db, user, password_hash, keep=None)

    async def change_password(self, session: Session, user_id: UUID, password_hash: str, *, keep: UUID | None) -> None:
        """Set a new password and end every log-in save `keep`; the owner is told."""
        async with session.unscoped("a user's own password") as db:
            user = await self.get(db, user_id, lock=True)
            await self._set_password(db, user, password_hash, keep=keep)

    async def _set_password(self, db: Session, user: Any, password_hash: str, *, keep: UUID | None) -> None:
        user.password_hash = password_hash
        await one_time.forget(db, user.id)
        await self._sessions.end_all(db, user.id, by="password", keep=keep)
        await record(db, "user.password_changed", subject_type="user", subject_id=user.id)
        await self._notices.password_changed(db, user.email, language=language_of(user))

    async def change_email(self, session: Session, user_id: UUID, email: str, *, conceals: bool = False) -> None:
        """Mail a link to another address, which the account takes on once it is proved. Raises EmailTaken.

        conceals: for an address that has an account its owner is told, and whoever asked is not.
        """
        async with session.unscoped("a user's own address") as db:
            user, key = await self.get(db, user_id, lock=True), email_key(email)
            owner = await self._addresses.owner_of(db, key) if conceals else None
            if owner is not None and owner.id != user_id:
                await self._notices.already_registered(db, email, language=owner.language)
                return
            await self._addresses.require_free(db, key, user_id)
            token = await one_time.issue(db, user_id=user_id, purpose=one_time.ADDRESS, email_key=key, payload=email)
            await record(db, "user.email_change_asked", subject_type="user", subject_id=user_id)
            await self._notices.verification(db, email, token, one_time.LIFETIME, language=language_of(user))

    async def _take_address(self, db: Session, user: Any, proof: one_time.Proof) -> None:
        """The address of a proof becomes the account's; the owner is told by the old one."""
        if proof.payload is None or not user.is_active:
            raise one_time.unknown_token()
        await self._addresses.require_free(db, proof.email_key, user.id)
        former = user.email
        async with self._addresses.taking(db, proof.email_key, user.id):
            user.set_email(proof.payload)
            user.email_verified_at = clock.now()
            await db.flush()
        await one_time.forget(db, user.id)
        await record(db, "user.email_changed", subject_type="user", subject_id=user.id)
        await self._notices.email_changed(db, former, language=language_of(user))

    async def set_roles(self, session: Session, user_id: UUID, roles: Sequence[str]) -> None:
        """Replace the roles; decisions follow within 5 s. Raises NotFound, Invalid for a role the service has not.

        Where they change, log-ins by cookie end (C01), and what staff do in the account: both were judged by those of before.
        """
        wrong = [name for name in roles if self._role_names is not None and name not in self._role_names]
        if wrong:
            known = ", ".join(self._role_names or ())
            fault = FieldError("role.unknown", f"Known roles: {known}.", pointer="/roles")
            raise Invalid("There is no such role.", errors=[fault])
        async with session.unscoped("staff give roles") as db:
            user = await self.get(db, user_id, lock=True)
            before, user.roles = list(user.roles), sorted(set(roles))
            await record(
                db,
                "user.roles_set",
                subject_type="user",
                subject_id=user_id,
                before={"roles": before},
                after={"roles": user.roles},
            )
            if before != user.roles:
                await self._sessions.end_acting(db, user_id, by="rights")
                await self._browser_sessions.end_all(db, user_id, by="rights")
            self._sessions.tell(db, user_id)

    async def disable(self, session: Session, user_id: UUID) -> None:
        """Close the account: log-ins end, refresh tokens are dead at once, access tokens within 5 s. Raises NotFound."""
        await self._set_active(session, user_id, is_active=False)

    async def enable(self, session: Session, user_id: UUID) -> None:
        """Open a closed account again; its owner logs in anew. Raises NotFound."""
        await self._set_active(session, user_id, is_active=True)

    async def _set_active(self, session: Session, user_id: UUID, *, is_active: bool) -> None:
        async with session.unscoped("staff close and open accounts") as db:
            user = await self.get(db, user_id, lock=True)
            before, user.is_active = {"is_active": user.is_active}, is_active
            if not is_active:
                await one_time.forget(db, user_id)
                await self._sessions.end_all(db, user_id, by="account")
            action = "user.enabled" if is_active else "user.disabled"
            after = {"is_active": is_active}
            await record(db, action, subject_type="user", subject_id=user_id, before=before, after=after)

    async def get(self, db: Session, user_id: UUID, *, lock: bool = False) -> Any:
        """The user row in a session that may see it. Raises NotFound."""
        query = select(self._user).where(self._user.id == user_id)
        user = (await db.execute(query.with_for_update() if lock else query)).scalar_one_or_none()
        if user is None:
            raise NotFound
        return user


async def call(hook: Hook | None, *arguments: Any) -> Any:
    """What a hook gives, of either kind of function; None without one."""
    result = hook(*arguments) if hook is not None else None
    return await result if inspect.isawaitable(result) else result


def _extras(draft: BaseModel, user: Any) -> Mapping[str, Any]:
    columns = {attribute.key for attribute in mapping_of(user).column_attrs}
    return {name: getattr(draft, name) for name in type(draft).model_fields if name in columns - OWN}
