"""Make, list, rotate and revoke keys. Each function runs in its caller's unit; none commits."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID

from sqlalchemy import ColumnElement, Row, func, insert, select, update

from freehold.errors import FieldError, InsufficientAuthentication, Invalid, NotFound
from freehold.identity.api_keys.tables import API_KEYS
from freehold.identity.api_keys.text import finder_of, new_key
from freehold.identity.authentication import TWO_FACTORS
from freehold.identity.factors import holdings
from freehold.identity.sealing import token_hash
from freehold.resource import clock
from freehold.resource.base import new_id
from freehold.resource.principal import Principal
from freehold.store.audit import record

if TYPE_CHECKING:
    from freehold.store.session import Session

# What protects an account needs this scope, and no key has it: a key makes no keys, changes no factor, logs nobody in (K03).
ACCOUNT_SCOPE = "account"
MOST_KEYS = 100


@dataclass(frozen=True, slots=True)
class KeyLifetimes:
    """default and longest: from making to the end of a key. overlap: of an old key and the one that replaces it."""

    default: timedelta = timedelta(days=90)
    longest: timedelta = timedelta(days=366)
    overlap: timedelta = timedelta(hours=24)
    longest_overlap: timedelta = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class KeyDraft:
    """What a key is to be. roles: of a key of the service alone. address_ranges: in CIDR form; none for anywhere."""

    name: str
    scopes: frozenset[str] = frozenset()
    lifetime: timedelta | None = None
    address_ranges: Sequence[str] = ()
    is_of_service: bool = False
    roles: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class NewKey:
    """A key that was made. key: shown now and never again."""

    id: UUID
    key: str
    expires_at: datetime


class ApiKeys:
    """The API keys of one service. user: its model of a user."""

    def __init__(self, *, user: Any, lifetimes: KeyLifetimes) -> None:
        self._user = user
        self.lifetimes = lifetimes

    async def make(self, session: Session, draft: KeyDraft, *, maker: Principal) -> NewKey:
        """Write down a new key. maker: the caller, or the system, whose keys are the service's.

        Raises Invalid for scopes or roles that the maker has not, for a life that is too long, or one key too many;
        InsufficientAuthentication where the maker has a second factor, or has to have one, and has not proved it.
        """
        await _require_factor(session, maker)
        self._refuse_more_rights(draft, maker)
        owner_id = None if draft.is_of_service else maker.id
        if owner_id is not None:
            await self._refuse_more(session, owner_id)
        values = {
            "name": draft.name,
            "owner_id": owner_id,
            "maker_id": maker.id,
            "roles": sorted(draft.roles),
            "scopes": " ".join(sorted(draft.scopes)),
            "address_ranges": list(draft.address_ranges),
        }
        made = await _add(session, values, clock.now() + (draft.lifetime or self.lifetimes.default))
        await _told(session, "api_key.made", made.id, {"name": draft.name, "scopes": sorted(draft.scopes)})
        return made

    async def listed(self, session: Session, owner_id: UUID | None) -> list[Row[Any]]:
        """The keys that are good, of an account or (None) of the service, the newest first."""
        query = select(API_KEYS).where(*_good(owner_id)).order_by(API_KEYS.c.created_at.desc(), API_KEYS.c.id)
        return list((await session.execute(query)).all())

    async def rotate(
        self,
        session: Session,
        key_id: UUID,
        *,
        owner_id: UUID | None,
        maker: Principal,
        overlap: timedelta | None = None,
    ) -> NewKey:
        """A new key with the rights and the length of life of the old one, which goes on for `overlap`.

        Raises NotFound for a key that is not this owner's, or not good any more; Invalid for one that `maker`, who is shown
        the new one, could not make (K02); InsufficientAuthentication as `make` does.
        """
        await _require_factor(session, maker)
        row = await self._locked(session, key_id, owner_id)
        rights = frozenset(row.scopes.split()), frozenset(row.roles)
        same = KeyDraft(name=row.name, scopes=rights[0], roles=rights[1], is_of_service=row.owner_id is None)
        self._refuse_more_rights(same, maker)
        copied = ("name", "owner_id", "maker_id", "roles", "scopes", "address_ranges")
        life = min(row.expires_at - row.created_at, self.lifetimes.longest)
        made = await _add(session, {name: getattr(row, name) for name in copied}, clock.now() + life)
        rest = self.lifetimes.overlap if overlap is None else min(overlap, self.lifetimes.longest_overlap)
        await session.execute(
            update(API_KEYS)
            .where(API_KEYS.c.id == key_id)
            .values(expires_at=min(row.expires_at, clock.now() + rest), replaced_by=made.id)
        )
        await _told(session, "api_key.rotated", key_id, {"replaced_by": str(made.id)})
        return made

    def _refuse_more_rights(self, draft: KeyDraft, maker: Principal) -> None:
        faults = list(_faults(draft, maker, longest=self.lifetimes.longest))
        if faults:
            raise Invalid("The key cannot be made.", errors=faults)

    async def revoke(self, session: Session, key_id: UUID, *, owner_id: UUID | None) -> None:
        """The key is dead from the commit on, in every process. Raises NotFound."""
        await self._locked(session, key_id, owner_id)
        await session.execute(update(API_KEYS).where(API_KEYS.c.id == key_id).values(revoked_at=clock.now()))
        await _told(session, "api_key.revoked", key_id, {})

    async def _locked(self, session: Session, key_id: UUID, owner_id: UUID | None) -> Row[Any]:
        query = select(API_KEYS).where(API_KEYS.c.id == key_id, *_good(owner_id))
        row = (await session.execute(query.with_for_update())).first()
        if row is None:
            raise NotFound
        return row

    async def _refuse_more(self, session: Session, owner_id: UUID) -> None:
        """Lock the owner's row, so that of two who make the last key at once one makes it, and count."""
        people = self._user.__table__.c
        await session.execute(select(people.id).where(people.id == owner_id).with_for_update())
        counted = select(func.count()).select_from(API_KEYS).where(*_good(owner_id))
        if (await session.scalar(counted) or 0) >= MOST_KEYS:
            raise Invalid(f"An account has at most {MOST_KEYS} keys: revoke one.", code="identity.too_many_keys")


async def _require_factor(session: Session, maker: Principal) -> None:
    """A key is good without a second factor from then on, so that whoever makes it proves theirs (M09)."""
    if maker.is_system or maker.has_factor or maker.id is None:
        return
    if maker.withheld or await holdings.kinds(session, maker.id):
        raise InsufficientAuthentication(acr_values=TWO_FACTORS)


def _good(owner_id: UUID | None) -> tuple[ColumnElement[bool], ...]:
    columns = API_KEYS.c
    whose = columns.owner_id.is_(None) if owner_id is None else columns.owner_id == owner_id
    return whose, columns.revoked_at.is_(None), columns.expires_at > clock.now()


def _faults(draft: KeyDraft, maker: Principal, *, longest: timedelta) -> list[FieldError]:
    found = [
        FieldError("api_key.scope", f"A key of yours cannot have the scope {name!r}.", pointer="/scopes")
        for name in sorted(draft.scopes)
        if name == ACCOUNT_SCOPE or not maker.has_scope(name)
    ]
    too_high = draft.roles if not draft.is_of_service else draft.roles - maker.roles
    if too_high and not maker.is_system:
        said = "A key has no roles that its maker has not, and a personal one its owner's alone."
        found.append(FieldError("api_key.role", said, pointer="/roles"))
    if draft.lifetime is not None and not timedelta(0) < draft.lifetime <= longest:
        said = f"A key lives for at most {longest.days} days."
        found.append(FieldError("api_key.lifetime", said, pointer="/expires_in_days"))
    return found


async def _add(session: Session, values: dict[str, Any], expires_at: datetime) -> NewKey:
    key, key_id = new_key(), new_id()
    await session.execute(
        insert(API_KEYS).values(
            id=key_id,
            prefix=finder_of(key),
            key_hash=token_hash(key),
            created_at=clock.now(),
            expires_at=expires_at,
            **values,
        )
    )
    return NewKey(key_id, key, expires_at)


async def _told(session: Session, action: str, key_id: UUID, after: dict[str, Any]) -> None:
    await record(session, action, subject_type="api_key", subject_id=key_id, after=after)
