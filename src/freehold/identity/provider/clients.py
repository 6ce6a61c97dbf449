"""Clients: the applications that may ask people for access, and what each may do."""

from __future__ import annotations

import hmac
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID

from sqlalchemy import delete, insert, select, update

from freehold.errors import FieldError, Invalid, NotFound
from freehold.identity.provider import redirects
from freehold.identity.provider.keysets import checked_keys
from freehold.identity.provider.tables import CLIENTS, GRANTS
from freehold.identity.sealing import new_token, token_hash
from freehold.resource import clock
from freehold.resource.base import new_id
from freehold.store.audit import record

if TYPE_CHECKING:
    from freehold.identity.provider.families import Families
    from freehold.store.session import Session

SECRET_PREFIX = "fhc_"  # noqa: S105 (what a secret begins with)
CODE, REFRESH, CLIENT = "authorization_code", "refresh_token", "client_credentials"
DEVICE = "urn:ietf:params:oauth:grant-type:device_code"
GRANT_TYPES = (CODE, REFRESH, CLIENT, DEVICE)
OVERLAP = timedelta(days=1)
_NOTHING = bytes(32)


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A client to be. scopes: those that it may ask for. account_id: whom it acts as by client_credentials."""

    name: str
    is_public: bool = False
    redirect_uris: Sequence[str] = ()
    post_logout_redirect_uris: Sequence[str] = ()
    back_channel_logout_uri: str | None = None
    scopes: Sequence[str] = ()
    grants: Sequence[str] = (CODE, REFRESH)
    account_id: UUID | None = None
    jwks: Mapping[str, Any] | None = None
    requires_pushed: bool = False
    requires_proof: bool = False
    introspects_all: bool = False


@dataclass(frozen=True, slots=True)
class Client:
    """A registered client, without anything that it proves itself by save its public keys."""

    id: UUID
    name: str
    is_public: bool
    jwks: Mapping[str, Any] | None
    redirect_uris: tuple[str, ...]
    post_logout_redirect_uris: tuple[str, ...]
    back_channel_logout_uri: str | None
    scopes: frozenset[str]
    grants: frozenset[str]
    account_id: UUID | None
    requires_pushed: bool
    requires_proof: bool
    introspects_all: bool
    created_at: datetime
    secrets: tuple[bytes, ...] = field(default=(), repr=False)

    def is_right(self, secret: str) -> bool:
        """Whether it is the client's secret, or its former one within the overlap. In the same time for every secret."""
        given = token_hash(secret)
        found = [hmac.compare_digest(given, each) for each in (*self.secrets, _NOTHING)]
        return any(found)


def of_row(row: Any) -> Client:
    """The client of a row."""
    secrets = [row.secret_hash] if row.secret_hash is not None else []
    if row.former_secret_hash is not None and clock.now() < row.former_secret_until:
        secrets.append(row.former_secret_hash)
    return Client(
        row.id,
        row.name,
        row.is_public,
        row.jwks,
        tuple(row.redirect_uris),
        tuple(row.post_logout_redirect_uris),
        row.back_channel_logout_uri,
        frozenset(row.scopes),
        frozenset(row.grants),
        row.account_id,
        row.requires_pushed,
        row.requires_proof,
        row.introspects_all,
        row.created_at,
        tuple(secrets),
    )


class Clients:
    """The clients of one service. scopes: those that the service has."""

    def __init__(self, *, scopes: Sequence[str], families: Families) -> None:
        self._scopes = frozenset(scopes)
        self._families = families

    async def add(self, session: Session, draft: Draft) -> tuple[Client, str | None]:
        """Register a client; with it its secret, which is shown this once. Raises Invalid."""
        values, client_id = self._checked(draft), new_id()
        has_secret = not draft.is_public and draft.jwks is None
        secret = new_token(SECRET_PREFIX) if has_secret else None
        values["secret_hash"] = None if secret is None else token_hash(secret)
        await session.execute(insert(CLIENTS).values(id=client_id, created_at=clock.now(), **values))
        told = {"name": draft.name, "scopes": values["scopes"], "grants": values["grants"]}
        await record(session, "client.added", subject_type="client", subject_id=client_id, after=told)
        return await self.get(session, client_id), secret

    async def find(self, session: Session, client_id: str | UUID) -> Client | None:
        """The client with this id; None for what is none, or no id at all."""
        try:
            wanted = client_id if isinstance(client_id, UUID) else UUID(client_id)
        except ValueError:
            return None
        if str(wanted) != str(client_id):  # one spelling: what is compared elsewhere as text is the same text
            return None
        row = (await session.execute(select(CLIENTS).where(CLIENTS.c.id == wanted))).one_or_none()
        return None if row is None else of_row(row)

    async def get(self, session: Session, client_id: UUID) -> Client:
        """The client with this id. Raises NotFound."""
        found = await self.find(session, client_id)
        if found is None:
            raise NotFound
        return found

    async def listed(self, session: Session) -> list[Client]:
        """All of them, by name."""
        return [of_row(row) for row in await session.execute(select(CLIENTS).order_by(CLIENTS.c.name, CLIENTS.c.id))]

    async def rotate(self, session: Session, client_id: UUID, *, overlap: timedelta = OVERLAP) -> str:
        """Another secret, shown this once; the former one is good for `overlap` more. Raises NotFound, Invalid."""
        row = (await session.execute(select(CLIENTS).where(CLIENTS.c.id == client_id).with_for_update())).one_or_none()
        if row is None:
            raise NotFound
        if row.secret_hash is None:
            raise Invalid("This client has no secret: it is public, or proves itself by a key.")
        secret, changed = new_token(SECRET_PREFIX), update(CLIENTS).where(CLIENTS.c.id == client_id)
        former = {"former_secret_hash": row.secret_hash, "former_secret_until": clock.now() + overlap}
        await session.execute(changed.values(secret_hash=token_hash(secret), **former))
        await record(session, "client.secret_rotated", subject_type="client", subject_id=client_id)
        return secret

    async def remove(self, session: Session, client_id: UUID) -> None:
        """Remove a client: everything that it holds ends now. Raises NotFound."""
        held = select(GRANTS.c.session_id).where(GRANTS.c.client_id == client_id)
        for session_id in (await session.execute(held)).scalars().all():
            await self._families.end(session, session_id, by="client")
        gone = await session.execute(delete(CLIENTS).where(CLIENTS.c.id == client_id).returning(CLIENTS.c.name))
        name = gone.scalar_one_or_none()
        if name is None:
            raise NotFound
        await record(session, "client.removed", subject_type="client", subject_id=client_id, before={"name": name})

    def _checked(self, draft: Draft) -> dict[str, Any]:
        """The columns of a draft. Raises Invalid."""
        _refuse(not draft.name.strip() or len(draft.name) > 200 or not draft.name.isprintable(), "/name", "A name.")
        wrong = sorted(set(draft.scopes) - self._scopes)
        _refuse(bool(wrong), "/scopes", f"Known scopes: {', '.join(sorted(self._scopes))}.")
        unknown = set(draft.grants) - set(GRANT_TYPES)
        _refuse(bool(unknown) or not draft.grants, "/grants", f"Known grants: {', '.join(GRANT_TYPES)}.")
        on_its_own = CLIENT in draft.grants
        _refuse(on_its_own and draft.is_public, "/grants", "A public client cannot prove that it is itself.")
        _refuse(on_its_own and draft.account_id is None, "/account_id", f"{CLIENT} needs an account to act as.")
        _refuse(CODE in draft.grants and not draft.redirect_uris, "/redirect_uris", f"{CODE} needs one.")
        _refuse(draft.is_public and draft.jwks is not None, "/jwks", "A public client keeps no keys.")
        kind = {"is_public": draft.is_public}
        returns = redirects.check(draft.post_logout_redirect_uris, pointer="/post_logout_redirect_uris", **kind)
        if draft.back_channel_logout_uri is not None:
            redirects.check([draft.back_channel_logout_uri], pointer="/back_channel_logout_uri", is_public=False)
        return {
            "name": draft.name.strip(),
            "is_public": draft.is_public,
            "jwks": None if draft.jwks is None else checked_keys(draft.jwks),
            "redirect_uris": redirects.check(draft.redirect_uris, pointer="/redirect_uris", **kind),
            "post_logout_redirect_uris": returns,
            "back_channel_logout_uri": draft.back_channel_logout_uri,
            "scopes": sorted(set(draft.scopes)),
            "grants": sorted(set(draft.grants)),
            "account_id": draft.account_id,
            "requires_pushed": draft.requires_pushed,
            "requires_proof": draft.requires_proof,
            "introspects_all": draft.introspects_all,
        }


def _refuse(is_wrong: bool, pointer: str, message: str) -> None:  # noqa: FBT001 (what the caller has just found)
    if is_wrong:
        raise Invalid(message, errors=[FieldError("client.invalid", message, pointer=pointer)])
