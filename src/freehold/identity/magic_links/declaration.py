"""`MagicLinks`: people may log in by a link that is mailed to them. Off unless it is declared."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from freehold.errors import ConfigurationError
from freehold.identity import one_time
from freehold.identity.magic_links.links import LinkLogIn
from freehold.jobs import Job, job

if TYPE_CHECKING:
    from freehold.identity.service import Parts
    from freehold.identity.users import UserMixin
    from freehold.store.session import Session


@dataclass(eq=False, kw_only=True)
class MagicLinks:
    """Let people log in by a link that is mailed to them.

    It is good once, for `lifetime`, in the browser that asked for it, and stands for the first factor alone. Who can read
    the mail of an account could set its password before this, too.
    """

    lifetime: timedelta = timedelta(minutes=15)

    def __post_init__(self) -> None:
        """Raises ConfigurationError."""
        if not timedelta(minutes=1) <= self.lifetime <= one_time.LIFETIME:
            raise ConfigurationError("MagicLinks(lifetime=...): from a minute to half an hour")
        self._log_in: LinkLogIn | None = None
        self.job: Job[...] = job("freehold.identity.link", system="mail a log-in link to the owner of an address")(
            self._send
        )

    def bind(self, parts: Parts, *, user: type[UserMixin]) -> None:
        """Stand on the parts of an identity; nothing connects yet."""
        self._log_in = LinkLogIn(
            parts.database,
            user=user,
            accounts=parts.accounts,
            sessions=parts.sessions,
            notices=parts.notices,
            lifetime=self.lifetime,
        )

    @property
    def log_in(self) -> LinkLogIn:
        """The log-in, once bound."""
        if self._log_in is None:
            raise RuntimeError("identity is not bound: Freehold(identity=...) does it at start, or Identity.bind()")
        return self._log_in

    async def _send(self, db: Session, *, email_key: str, browser: str, following: str) -> None:
        await self.log_in.send(db, email_key, browser=browser, following=following)
