"""`Identity`: accounts, log-in and tokens of one service, put together."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel

from freehold.errors import ConfigurationError
from freehold.identity.accounts import Accounts, Hook
from freehold.identity.api_keys import ApiKeyReader, ApiKeys, KeyLifetimes
from freehold.identity.authenticate import Bearer
from freehold.identity.authentication import Requirement
from freehold.identity.browser_sessions import BrowserLifetimes, BrowserSessions
from freehold.identity.csrf import CsrfTokens
from freehold.identity.entry import Entry
from freehold.identity.factors.service import Factors
from freehold.identity.impersonation import Impersonation, Impersonations, Reach
from freehold.identity.keys import KeyRing
from freehold.identity.login import LogIn
from freehold.identity.magic_links.declaration import MagicLinks
from freehold.identity.notices import Mailer, Notices, Paths
from freehold.identity.organisations import invitations
from freehold.identity.organisations.declaration import Organisations
from freehold.identity.passwords import Cost, Passwords
from freehold.identity.personal_data import PersonalData
from freehold.identity.policy import PasswordPolicy
from freehold.identity.provider.declaration import Provider as OAuthProvider
from freehold.identity.provider.declaration import ProviderParts
from freehold.identity.rights import Rights
from freehold.identity.schemas import UserCreate, UserRead, UserUpdate
from freehold.identity.sessions import Lifetimes, Sessions
from freehold.identity.social import attempts
from freehold.identity.social.logins import SocialLogins
from freehold.identity.social.provider import Provider
from freehold.identity.standings import Standings
from freehold.identity.throttle import Throttle
from freehold.identity.tokens import AccessTokens
from freehold.identity.users import UserMixin
from freehold.jobs import Job, job, schedule
from freehold.mail.templates import Templates
from freehold.resource.access import Rule, nobody
from freehold.resource.principal import Principal
from freehold.resource.roles import Roles
from freehold.traffic.limits import Limiter

if TYPE_CHECKING:
    from freehold.identity.pages import Pages
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
    entry: Entry
    browser_sessions: BrowserSessions
    csrf: CsrfTokens
    api_keys: ApiKeys
    api_key_reader: ApiKeyReader
    factors: Factors
    impersonations: Impersonations
    accounts: Accounts
    personal_data: PersonalData
    log_in: LogIn
    conceals_accounts: bool
    social: SocialLogins | None = None
    provider: ProviderParts | None = None


@dataclass(eq=False, kw_only=True)
class Identity:
    """Declare the accounts of a service; an `Authenticator`.

    user: the model (`class User(UserMixin, Base)`). create, update, read: wider schemas than the plain ones; fields that
    the model has are stored. roles: the names that may be given (None: any), or `Roles`, which also says what each comes to. staff_roles: may look at every account.
    admin_roles: may give roles and close accounts; by default `admin` where it is a staff role, else all staff.
    factor_required_for: roles that count only in a log-in with a second factor, or "everyone"; who has none yet sets one up
    at the next log-in.
    on_register(db, user, draft): before the row is written, for example to turn `draft.account` into a role; what
    hangs on the account is added after a flush.
    pages: server-rendered ones for log-in and account (with the extra `pages`); none where not given.
    on_export(db, user): further parts of an export, by name. on_erase(db, user): erases what else is personal.
    languages: of those that letters are there in, a new account gets the one that its browser asks for first, unless the
    registration names one; the model needs a nullable text column `language`, which its letters follow.
    lifetimes, browser_lifetimes, key_lifetimes: of log-ins with tokens, of those with a cookie, of API keys. organisations: where accounts can be members of some.
    log_in_by: other providers, besides those of the settings. magic_links: people may log in by mailed links. audit: who may read the whole audit trail.
    provider: lets applications of others ask people for access (OAuth 2.1, OpenID Connect), on `pages`; off without one.
    impersonation: lets staff act in the accounts of others; without it nobody can.
    paths: the pages that mailed links lead to. cost: of a password hash; less than the default is for tests alone.
    """

    user: type[UserMixin]
    create: type[BaseModel] = UserCreate
    update: type[BaseModel] = UserUpdate
    read: type[BaseModel] = UserRead
    roles: Sequence[str] | Roles | None = None
    staff_roles: Sequence[str] = ("admin",)
    admin_roles: Sequence[str] = ()
    factor_required_for: Collection[str] = ()
    languages: Sequence[str] = ()
    organisations: Organisations | None = None
    log_in_by: Sequence[Provider] = ()
    magic_links: MagicLinks | None = None
    audit: Rule = nobody
    on_register: Hook | None = None
    on_export: Hook | None = None
    on_erase: Hook | None = None
    pages: Pages | None = None
    policy: PasswordPolicy = field(default_factory=PasswordPolicy)
    lifetimes: Lifetimes = field(default_factory=Lifetimes)
    browser_lifetimes: BrowserLifetimes = field(default_factory=BrowserLifetimes)
    key_lifetimes: KeyLifetimes = field(default_factory=KeyLifetimes)
    impersonation: Impersonation | None = None
    paths: Paths = field(default_factory=Paths)
    provider: OAuthProvider | None = None
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
        if self.provider is not None and self.pages is None:
            raise ConfigurationError(
                "Identity(provider=...): people log in and agree on pages; add pages=Pages() and install freehold[pages]"
            )
        declared = self.roles if isinstance(self.roles, Roles) else None
        self._rights = Rights.of(declared, self._required_factors())
        self._requirement = self._rights.requirement
        staff = {*self.staff_roles, *self.admin_roles}
        self._reach = Reach.of(self.impersonation, staff=staff, known=self.role_names, rights=self._rights)
        self._parts: Parts | None = None
        self.reset_job: Job[...] = job(
            "freehold.identity.reset", system="mail a reset link to the owner of an address"
        )(self._send_reset)
        upkeep = job("freehold.identity.upkeep", system="rotate signing keys, remove old log-ins")(self._upkeep)
        self.upkeep_job: Job[...] = schedule("freehold.identity.upkeep", every=timedelta(minutes=1))(upkeep)

    def _required_factors(self) -> Requirement:
        try:
            found = Requirement.of(self.factor_required_for)
        except ValueError as error:
            raise ConfigurationError(f"Identity(factor_required_for=...): {error}") from None
        unknown = sorted(found.roles - set(self.role_names)) if self.role_names is not None else []
        if unknown:
            raise ConfigurationError(
                f"Identity(factor_required_for=...): {', '.join(unknown)} is none of roles={sorted(self.role_names or ())}"
            )
        return found

    @property
    def role_names(self) -> Sequence[str] | None:
        """The names of roles that may be given; None for any."""
        return self.roles.names if isinstance(self.roles, Roles) else self.roles

    def rights(self, held: Iterable[str]) -> frozenset[str]:
        """The roles of an account, and what they come to, however its owner logged in."""
        return self._rights.all(held)

    @property
    def jobs(self) -> list[Job[...]]:
        """What the process's `Jobs` must know."""
        links = [] if self.magic_links is None else [self.magic_links.job]
        return [self.reset_job, self.upkeep_job, *links, *([] if self.provider is None else self.provider.jobs)]

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
        providers: Sequence[Provider] = (),
        allowed_hosts: Sequence[str] = (),
    ) -> Parts:
        """Put the parts together; nothing connects yet. Raises ConfigurationError for a secret under 32 bytes (A15).

        public_url: of the service, issuer and audience of its tokens and the base of mailed links, whatever Host a
        request names. templates: the words of mails; identity's own when not given. service_name: in the subject of mails, and not to be part of a password, unless the policy names
        another. conceal_accounts: registering a taken address is 202 like any other, and its owner is told.
        providers: by whom one can log in besides; allowed_hosts: of this network, that they may be on.
        """
        key = secret.encode() if isinstance(secret, str) else secret
        if len(key) < SHORTEST_SECRET:
            raise ConfigurationError(
                f"FREEHOLD_SECRET must have at least {SHORTEST_SECRET} bytes; make one with `openssl rand -hex 32`"
            )
        issuer = public_url.rstrip("/")
        policy = self.policy if self.policy.service_name else replace(self.policy, service_name=service_name)
        keys = KeyRing(database, secret=key, lifetime=self._longest_token() + self.leeway)
        tokens = AccessTokens(
            keys, issuer=issuer, audience=issuer, lifetime=self.access_token_lifetime, leeway=self.leeway
        )
        standings = Standings(database, user=self.user)
        notices = Notices(
            mailer, service_name=policy.service_name, public_url=issuer, paths=self.paths, templates=templates
        )
        sessions = Sessions(
            database, tokens, notices, user=self.user, lifetimes=self.lifetimes,
            browser_idle=self.browser_lifetimes.idle, on_change=standings.forget,
        )  # fmt: skip
        browser_sessions = BrowserSessions(
            database, sessions, user=self.user, lifetimes=self.browser_lifetimes, rights=self._rights
        )
        throttle = Throttle(limiter)
        factors = Factors.of(
            database,
            user=self.user,
            requirement=self._requirement,
            notices=notices,
            throttle=throttle,
            secret=key,
            public_url=issuer,
            service_name=policy.service_name,
            tell=sessions.tell,
        )
        entry = Entry(sessions, factors.gate)
        passwords = Passwords(cost=self.cost)
        accounts = Accounts(
            sessions, browser_sessions, notices,
            user=self.user, role_names=self.role_names, on_register=self.on_register,
        )  # fmt: skip
        personal_data = PersonalData(
            accounts, sessions,
            user=self.user, on_export=self.on_export, on_erase=self.on_erase, organisations=self.organisations,
        )  # fmt: skip
        self._parts = Parts(
            database=database,
            passwords=passwords,
            policy=policy,
            keys=keys,
            tokens=tokens,
            standings=standings,
            bearer=Bearer(tokens, standings, rights=self._rights),
            throttle=throttle,
            notices=notices,
            sessions=sessions,
            entry=entry,
            browser_sessions=browser_sessions,
            csrf=CsrfTokens(key),
            api_keys=ApiKeys(user=self.user, lifetimes=self.key_lifetimes),
            api_key_reader=ApiKeyReader(database, user=self.user, rights=self._rights),
            factors=factors,
            impersonations=Impersonations(accounts, sessions, tokens, notices, reach=self._reach),
            accounts=accounts,
            personal_data=personal_data,
            log_in=LogIn(database, passwords, sessions, entry, throttle, user=self.user),
            conceals_accounts=conceal_accounts,
            social=self._social(
                [*providers, *self.log_in_by],
                database=database,
                accounts=accounts,
                notices=notices,
                public_url=issuer,
                allowed=allowed_hosts,
            ),
            provider=None
            if self.provider is None
            else self.provider.bind(
                database,
                secret=key,
                user=self.user,
                sessions=sessions,
                tokens=tokens,
                keys=keys,
                standings=standings,
                limiter=limiter,
            ),
        )
        if self.magic_links is not None:
            self.magic_links.bind(self._parts, user=self.user)
        return self._parts

    def _longest_token(self) -> timedelta:
        """For how long a key that no longer signs may still be asked for."""
        acting = timedelta() if self.impersonation is None else self.impersonation.longest
        return max(self.access_token_lifetime, acting)

    def _social(self, providers: Sequence[Provider], *, database: Database, **parts: Any) -> SocialLogins | None:
        return SocialLogins(database, providers, user=self.user, create=self.create, **parts) if providers else None

    @property
    def social(self) -> SocialLogins | None:
        """Log-in by other providers; None where there are none, and before `bind`."""
        return None if self._parts is None else self._parts.social

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

    async def _send_reset(self, db: Session, *, email_key: str, unless_fresh: bool = False) -> None:
        await self.parts.accounts.send_reset(db, email_key, unless_fresh=unless_fresh)

    async def _upkeep(self, db: Session) -> None:
        await self.parts.sessions.sweep(db)
        await self.parts.browser_sessions.sweep(db)
        await attempts.sweep(db)
        await self.parts.factors.sweep(db)
        if self.organisations is not None:
            await invitations.sweep(db)
        if self.provider is not None:
            await self.provider.sweep(db)
        await self.parts.keys.maintain(db)
