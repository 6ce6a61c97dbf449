"""What is held about a person: given to them, and erased when they leave. Each function runs in its caller's unit."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from uuid import UUID

from pydantic_core import to_jsonable_python
from sqlalchemy import inspect as mapping_of

from freehold.identity import one_time, ways_in
from freehold.identity.accounts import OWN, Accounts, Hook, call
from freehold.identity.exporting import held_of
from freehold.identity.organisations import groups, invitations, members
from freehold.identity.organisations.declaration import Organisations
from freehold.identity.sessions import Sessions
from freehold.identity.users import UserMixin
from freehold.resource import clock
from freehold.store.audit import record

if TYPE_CHECKING:
    from freehold.store.session import Session


class PersonalData:
    """Of the accounts of one service. See `Identity` for the hooks."""

    def __init__(
        self,
        accounts: Accounts,
        sessions: Sessions,
        *,
        user: type[UserMixin],
        on_export: Hook | None,
        on_erase: Hook | None,
        organisations: Organisations | None,
    ) -> None:
        self._accounts = accounts
        self._sessions = sessions
        self._user: Any = user
        self._on_export = on_export
        self._on_erase = on_erase
        self._organisations = organisations

    async def erase(self, session: Session, user_id: UUID) -> None:
        """Remove the person and leave the row, for what other people's records need. Raises NotFound, LastOwner.

        Nullable columns that the service added become null; `on_erase` sees to the rest.
        """
        async with session.unscoped("a user leaves") as db:
            user = await self._accounts.get(db, user_id, lock=True)
            await call(self._on_erase, db, user)
            if self._organisations is not None:
                await members.leave_all(db, self._organisations, user_id)
                await invitations.forget(db, user.email_key)
            await self._sessions.end_all(db, user_id, by="account")
            await self._sessions.forget(db, user_id)
            await ways_in.forget(db, user_id)
            await one_time.forget(db, user_id)
            user.set_email(f"{user_id}@deleted.invalid")
            user.full_name, user.password_hash, user.roles = "", None, []
            user.is_active, user.deleted_at = False, clock.now()
            for name in _added_columns(self._user):
                setattr(user, name, None)
            await record(db, "user.erased", subject_type="user", subject_id=user_id)

    async def export(self, session: Session, user_id: UUID) -> dict[str, Any]:
        """Everything that is held about a person, in JSON form, without secrets."""
        async with session.unscoped("a user's own data") as db:
            user = await self._accounts.get(db, user_id)
            extra = await call(self._on_export, db, user)
            held = await held_of(db, user, self._sessions)
            exported: dict[str, Any] = to_jsonable_python(
                {**held, **await self._memberships(db, user_id), **(extra or {})}, fallback=str
            )
        return exported

    async def _memberships(self, db: Session, user_id: UUID) -> dict[str, Any]:
        if self._organisations is None:
            return {}
        rows = await groups.listed(db, user_id)
        return {"organisations": [{"id": row.id, "name": row.name, "role": row.role} for row in rows]}


def _added_columns(user: Any) -> list[str]:
    """Nullable columns that neither `UserMixin` nor `Base` brought: they may hold personal data."""
    known = OWN | {"id", "full_name", "created_at", "updated_at", "row_version"}
    return [
        attribute.key
        for attribute in mapping_of(user).column_attrs
        if attribute.key not in known
        and attribute.columns[0].nullable
        and attribute.columns[0].computed is None
        and not attribute.columns[0].info.get("fh_derived")
    ]
