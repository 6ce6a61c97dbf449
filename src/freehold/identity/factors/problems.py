"""What may be wrong with a second factor, as clients see it."""

from __future__ import annotations

from freehold.errors import BadRequest, Conflict, Unauthenticated


class CodeRefused(Unauthenticated):
    """The code is wrong, too old, or was used before: one answer."""

    code, title = "auth.code_refused", "The code is not good"


class PasskeyRefused(Unauthenticated):
    """The passkey is not known, or its answer is not to the question: one answer."""

    code, title = "auth.passkey_refused", "The passkey is not good"


class StepOver(Unauthenticated):
    """The step token is unknown, used, or too old: log in from the beginning."""

    code, title = "auth.step_over", "This log-in is over; begin again"


class RegistrationRefused(BadRequest):
    """What came is no passkey that answers the question, or one that cannot be taken."""

    code, title = "identity.passkey_malformed", "This passkey cannot be registered"


class FactorExists(Conflict):
    """An account has one secret for codes; remove it before another is made."""

    code, title = "identity.factor_exists", "There is one already"


class NoSecret(Conflict):
    """There is no secret that waits for its first code."""

    code, title = "identity.nothing_to_confirm", "There is nothing to confirm"


class LastFactor(Conflict):
    """The account has to have a second factor, and this is its last."""

    code, title = "identity.last_factor", "This is the last second factor"
