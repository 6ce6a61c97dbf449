"""How an application meets its accounts: the default identity, the caller's row, the principal of a job."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from typing import Any
from uuid import UUID

from sqlalchemy import select

from freehold.errors import ConfigurationError
from freehold.identity import Identity, UserMixin
from freehold.identity.locations import Locations
from freehold.identity.social.configured import providers_of
from freehold.jobs import Principals
from freehold.mail import Mailer
from freehold.resource.access import Access, Constant, Role, Rule, owner, role
from freehold.resource.base import Base
from freehold.resource.declaration import Resource
from freehold.resource.principal import Principal, system
from freehold.resource.roles import Roles
from freehold.settings import Settings
from freehold.store.database import Database
from freehold.store.session import Session
from freehold.traffic.limits import Limiter
from freehold.web.runtime import ActorLoader


def are_needed(resources: Iterable[Resource]) -> bool:
    """Whether some rule asks who the caller is."""
    return any(not isinstance(atom, Constant) for rule in _rules(resources) for atom in rule.atoms())


def _rules(resources: Iterable[Resource]) -> Iterable[Rule]:
    for resource in resources:
        yield from (resource.access.rule(verb) for verb in ("read", "create", "update", "delete"))
        yield from (action.access for action in resource.actions)
        yield from (*resource.access.read_fields.values(), *resource.access.write_fields.values())


def _refuse_unknown_roles(identity: Identity, resources: Iterable[Resource]) -> None:
    """Raise ConfigurationError for a rule that asks for a role or permission that `Roles` does not declare."""
    if not isinstance(identity.roles, Roles):
        return
    for resource in resources:
        for atom in (atom for rule in _rules([resource]) for atom in rule.atoms() if isinstance(atom, Role)):
            unknown = [name for name in atom.names if not identity.roles.knows(name)]
            if unknown:
                raise ConfigurationError(
                    f"{resource.name}: {atom.describe()} asks for {unknown[0]!r}, which nobody can have: declare it in "
                    "Identity(roles=Roles(…))"
                )


def plain_identity() -> Identity:
    """Accounts with nothing added: a `users` table on `Base`."""
    return Identity(user=_plain_user())


@cache
def _plain_user() -> type[UserMixin]:
    """The service's own model of `users` where it has one that accounts can use; otherwise one with nothing added."""
    if "users" not in Base.metadata.tables:
        names = {"__tablename__": "users", "__doc__": "An account.", "__module__": __name__}
        return type("User", (UserMixin, Base), names)
    for mapper in Base.registry.mappers:
        if mapper.local_table is Base.metadata.tables["users"] and issubclass(mapper.class_, UserMixin):
            return mapper.class_
    raise ConfigurationError(
        "a rule asks who the caller is, and the table `users` is a model of your own that accounts cannot use: put "
        "UserMixin before Base in it, or give Freehold(identity=Identity(user=…)) another model"
    )


def bind(
    identity: Identity, database: Database, settings: Settings, mailer: Mailer, *, limiter: Limiter, title: str
) -> None:
    """Put the parts of identity together, as the settings say. Raises ConfigurationError for a file that is no database."""
    database.parts[Locations] = Locations(settings.geoip_file)
    identity.bind(
        database,
        secret=settings.secret_value,
        public_url=settings.public_url,
        mailer=mailer,
        templates=mailer.templates,
        limiter=limiter,
        service_name=title,
        conceal_accounts=settings.conceal_accounts,
        providers=providers_of(settings),
        allowed_hosts=settings.allowed_receivers,
    )


def protect(database: Database, identity: Identity | None, resources: Iterable[Resource]) -> None:
    """Show users to themselves and to staff, unless a resource says otherwise. Raises ConfigurationError for a rule."""
    if identity is None:
        return
    _refuse_unknown_roles(identity, resources)
    user: Any = identity.user
    if database.registry.find(user.__table__.name) is None:
        database.registry.protect(user, Access(read=owner("id") | role(*identity.staff_roles)))


def actor_loader(user: type[Any]) -> ActorLoader:
    """Loads the caller's row into the session at hand; None for nobody."""

    async def load(session: Session, principal: Principal) -> Any:
        if principal.id is None:
            return None
        return await session.get(user, principal.id)

    return load


def principals(database: Database, identity: Identity) -> Principals:
    """Finds the principal of a user as it stands now; None when the account is gone or disabled."""

    async def find(user_id: UUID) -> Principal | None:
        table = identity.user.__table__  # type: ignore[attr-defined]
        statement = select(table.c.roles, table.c.is_active).where(table.c.id == user_id)
        async with database.reading(system("judge the owner of a job")) as session:
            row = (await session.execute(statement)).one_or_none()
        if row is None or not row.is_active:
            return None
        return Principal(id=user_id, roles=identity.rights(row.roles or ()))

    return find
