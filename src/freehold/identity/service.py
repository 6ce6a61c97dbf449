"""`Identity`: accounts, log-in and tokens of one service, put together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import TYPE_CHECKING

from pydantic import BaseModel

from freehold.errors import ConfigurationError
from freehold.identity.accounts import Accounts, Hook
from freehold.identity.authenticate import Bearer, Standings
from freehold.identity.keys import KeyRing
from freehold.identity.login import LogIn
from freehold.identity.notices import Mailer, Notices, Paths
from freehold.identity.passwords import Cost, Passwords
from freehold.identity.policy import PasswordPolicy
from freehold.identity.schemas import UserCreate, UserRead, UserUpdate
from freehold.identity.sessions import Lifetimes, Sessions
from freehold.identity.throttle import Throttle
from freehold.identity.tokens import AccessTokens
from freehold.identity.users import UserMixin
from freehold.jobs import Job, job, schedule
from freehold.mail.templates import Templates
from freehold.resource.principal import Principal
from freehold.traffic.limits import Limiter

if TYPE_CHECKING:
    from freehold.store.database import Database
    from freehold.store.session import Session

SHORTEST_SECRET = 32


@dataclass(frozen=True, slots=True)
class Parts:
    """What `Identity.bind` puts together."""

    database: Database
    passwords: Passwords
    policy: PasswordPolicy
    keys: KeyRing
    tokens: AccessTokens
    standings: Standings
    bearer: Bearer
    throttle: Throttle
    notices: Notices
    sessions: Sessions
    accounts: Accounts
    log_in: LogIn
    conceals_accounts: bool


@dataclass(eq=False, kw_only=True)
class Identity:
    """Declare the accounts of a service; an `Authenticator`.

    user: the model (`class User(UserMixin, Base)`). create, update, read: wider schemas than the plain ones; fields that
    the model has are stored. roles: the names that may be given (None: any). staff_roles: may look at every account.
    admin_roles: may give roles and close accounts; by default `admin` where it is a staff role, else all staff.
    on_register(db, user, draft): before the row is written, for example to turn `draft.account` into a role; what
    hangs on the account is added after a flush.
    on_export(db, user): further parts of an export, by name. on_erase(db, user): erases what else is personal.
    languages: of those that letters are there in, a new account gets the one that its browser asks for first, unless the
    registration names one; the model needs a nullable text column `language`, which its letters follow.
    paths: the pages that mailed links lead to. cost: of a password hash; less than the default is for tests alone.
    """

    user: type[UserMixin]
    create: type[BaseModel] = UserCreate
    update: type[BaseModel] = UserUpdate
    read: type[BaseModel] = UserRead
    roles: Sequence[str] | None = None
    staff_roles: Sequence[str] = ("admin",)
    admin_roles: Sequence[str] = ()
    languages: Sequence[str] = ()
    on_register: Hook | None = None
    on_export: Hook | None = None
    on_erase: Hook | None = None
    policy: PasswordPolicy = field(default_factory=PasswordPolicy)
    lifetimes: Lifetimes = field(default_factory=Lifetimes)
    paths: Paths = field(default_factory=Paths)
    cost: Cost = field(default_factory=Cost)
    access_token_lifetime: timedelta = timedelta(minutes=10)
    leeway: timedelta = timedelta(seconds=30)

    def __post_init__(self) -> None:
        if not self.admin_roles:
            self.admin_roles = ("admin",) if "admin" in self.staff_roles else tuple(self.staff_roles)
        if not issubclass(self.user, UserMixin):
            raise ConfigurationError(f"Identity(user={self.user.__name__}): put freehold.UserMixin before Base")
        if self.languages and not hasattr(self.user, "language"):
            raise ConfigurationError(
                f"Identity(languages=...): give {self.user.__name__} a column to keep one in, "
                "`language: Mapped[str | None] = mapped_column(String(20))`"
            )
        self._parts: Parts | None = None
        self.reset_job: Job[...] = job(
            "freehold.identity.reset", system="mail a reset link to the owner of an address"
        )(self._send_reset)
        upkeep = job("freehold.identity.upkeep", system="rotate signing keys, remove old log-ins")(self._upkeep)
        self.upkeep_job: Job[...] = schedule("freehold.identity.upkeep", every=timedelta(minutes=1))(upkeep)

    @property
    def jobs(self) -> list[Job[...]]:
        """What the process's `Jobs` must know."""
        return [self.reset_job, self.upkeep_job]

    def bind(
        self,
        database: Database,
        *,
        secret: str | bytes,
        public_url: str,
        mailer: Mailer,
        limiter: Limiter,
        templates: Templates | None = None,
        service_name: str = "",
        conceal_accounts: bool = False,
    ) -> Parts:
        """Put the parts together; nothing connects yet. Raises ConfigurationError for a secret under 32 bytes (A15).

        public_url: of the service, issuer and audience of its tokens and the base of mailed links, whatever Host a
        request names. templates: the words of mails; identity's own when not given. service_name: in the subject of mails, and not to be part of a password, unless the policy names
        another. conceal_accounts: registering a taken address is 202 like any other, and its owner is told.
        """
        key = secret.encode() if isinstance(secret, str) else secret
        if len(key) < SHORTEST_SECRET:
            raise ConfigurationError(
                f"FREEHOLD_SECRET must have at least {SHORTEST_SECRET} bytes; make one with `openssl rand -hex 32`"
            )
        issuer = public_url.rstrip("/")
        policy = self.policy if self.policy.service_name else replace(self.policy, service_name=service_name)
        keys = KeyRing(database, secret=key, lifetime=self.access_token_lifetime + self.leeway)
        tokens = AccessTokens(
            keys, issuer=issuer, audience=issuer, lifetime=self.access_token_lifetime, leeway=self.leeway
        )
        standings = Standings(database, user=self.user)
        notices = Notices(
            mailer, service_name=policy.service_name, public_url=issuer, paths=self.paths, templates=templates
        )
        sessions = Sessions(
            database, tokens, notices, user=self.user, lifetimes=self.lifetimes, on_change=standings.forget
        )
        throttle = Throttle(limiter)
        passwords = Passwords(cost=self.cost)
        self._parts = Parts(
            database=database,
            passwords=passwords,
            policy=policy,
            keys=keys,
            tokens=tokens,
            standings=standings,
            bearer=Bearer(tokens, standings),
            throttle=throttle,
            notices=notices,
            sessions=sessions,
            accounts=self._accounts(sessions, notices),
            log_in=LogIn(database, passwords, sessions, throttle, user=self.user),
            conceals_accounts=conceal_accounts,
        )
        return self._parts

    def _accounts(self, sessions: Sessions, notices: Notices) -> Accounts:
        return Accounts(
            sessions,
            notices,
            user=self.user,
            role_names=self.roles,
            on_register=self.on_register,
            on_export=self.on_export,
            on_erase=self.on_erase,
        )

    @property
    def parts(self) -> Parts:
        """The parts, once bound."""
        if self._parts is None:
            raise RuntimeError("identity is not bound: Freehold(identity=...) does it at start, or Identity.bind()")
        return self._parts

    async def start(self) -> None:
        """Read the signing keys; make the first. The tables must be there. Remembers nothing from before."""
        self.parts.bearer.forget_all()
        await self.parts.keys.start()

    async def close(self) -> None:
        """Let the hashing threads go."""
        if self._parts is not None:
            self._parts.passwords.close()

    async def authenticate(self, authorization: Sequence[str]) -> Principal:
        """See `Authenticator.authenticate`."""
        return await self.parts.bearer.authenticate(authorization)

    async def _send_reset(self, db: Session, *, email_key: str) -> None:
        await self.parts.accounts.send_reset(db, email_key)

    async def _upkeep(self, db: Session) -> None:
        await self.parts.sessions.sweep(db)
        await self.parts.keys.maintain(db)
