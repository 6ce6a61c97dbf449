"""The quotas of log-in, registration, reset and of the provider's endpoints (ARCHITECTURE 6). Unknown e-mails are counted like known ones."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from freehold.resource.quotas import Quota
from freehold.traffic.limits import Limiter, QuotaExceeded, address_key, take

# Somebody who guesses must not gain by an outage of Redis: then each process counts for itself.
PER_PERSON = Quota(5, timedelta(minutes=1), when_away="count")
PER_ADDRESS = Quota(60, timedelta(minutes=1), when_away="count")
PER_RECIPIENT = Quota(10, timedelta(hours=1), when_away="count")
PER_RECIPIENT_OF_ALL = Quota(30, timedelta(hours=1), when_away="count")
WRONG_PER_ACCOUNT = Quota(10, timedelta(minutes=5), when_away="count")


@dataclass(frozen=True, slots=True)
class Throttle:
    """Asks the limiter in the names of identity. Keys are digests: a limiter's store holds no e-mail addresses."""

    limiter: Limiter

    async def admit(self, operation: str, *, address: str, person: str) -> None:
        """Count one try. operation: `login`, `registration`, `reset` or the like. Raises QuotaExceeded."""
        where = address_key(address)
        counted = [(f"{operation}-address", where, PER_ADDRESS), (operation, digest(where, person), PER_PERSON)]
        await take(self.limiter, counted)

    async def admit_letter(self, kind: str, *, recipient: str, address: str | None = None) -> None:
        """Count a letter before anybody knows whether it leaves. Raises QuotaExceeded.

        kind: each has a quota of its own, so that whoever asks for many of one keeps nobody from another. recipient: the
        key of an e-mail address, or the id of the account that has it. address: where strangers may ask, so that those
        behind another one are not kept from it, and all of them together get three times as many.
        """
        if address is None:
            await take(self.limiter, [(f"{kind}-recipient", digest(recipient), PER_RECIPIENT)])
            return
        theirs = (f"{kind}-recipient-address", digest(address_key(address), recipient), PER_RECIPIENT)
        await take(self.limiter, [theirs, (f"{kind}-recipient", digest(recipient), PER_RECIPIENT_OF_ALL)])

    async def has_had_many(self, kind: str, *, recipient: str) -> bool:
        """Count a letter that nobody is refused; whether there were so many in this hour that one of them will do.

        For the link that lets an owner back in: were it refused, a stranger who asks for many would keep the owner out.
        """
        return not (await self.limiter.hit(f"{kind}-recipient", digest(recipient), PER_RECIPIENT)).allowed

    async def admit_address(self, operation: str, *, address: str) -> None:
        """Count one try of an address, whoever it is. Raises QuotaExceeded."""
        await take(self.limiter, [(f"{operation}-address", address_key(address), PER_ADDRESS)])

    async def give_back_address(self, operation: str, *, address: str) -> None:
        """Return a try of `admit_address` to an address behind which somebody has proved who they are."""
        await self.limiter.give_back(f"{operation}-address", address_key(address), PER_ADDRESS)

    async def try_password(self, person: str) -> QuotaExceeded | None:
        """Count a password before it is looked at, so that a hundred at once are no way round; the refusal, if any."""
        decision = await self.limiter.hit("login-account", digest(person), WRONG_PER_ACCOUNT)
        return None if decision.allowed else QuotaExceeded([decision])

    async def try_factor(self, user_id: UUID, *, address: str) -> QuotaExceeded | None:
        """Count a code before it is looked at, over all log-ins and addresses of the account; the refusal, if any.

        Raises QuotaExceeded for an address that asks too much.
        """
        await self.admit_factor(address=address)
        decision = await self.limiter.hit("factor-account", user_id.hex, WRONG_PER_ACCOUNT)
        return None if decision.allowed else QuotaExceeded([decision])

    async def admit_factor(self, *, address: str) -> None:
        """Count a request about factors, of whichever account. Raises QuotaExceeded."""
        await take(self.limiter, [("factor-address", address_key(address), PER_ADDRESS)])

    async def factor_was_right(self, user_id: UUID) -> None:
        """Only wrong codes count: give the try back."""
        await self.limiter.give_back("factor-account", user_id.hex, WRONG_PER_ACCOUNT)

    async def password_was_right(self, person: str) -> None:
        """Only wrong passwords count: give the try back."""
        await self.limiter.give_back("login-account", digest(person), WRONG_PER_ACCOUNT)


def digest(*parts: str) -> str:
    """Who is counted, without saying who it is."""
    return hashlib.sha256("\0".join(parts).encode("utf-8", "surrogatepass")).hexdigest()[:32]
