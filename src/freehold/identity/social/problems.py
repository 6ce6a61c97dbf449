"""What may become of a log-in by a provider. A page is told the code, in the address that it returns to."""

from __future__ import annotations

from freehold.errors import BadRequest, Conflict, Forbidden, Unavailable


class AttemptUnknown(BadRequest):
    """The log-in was not begun in this browser, is over, or took longer than ten minutes: begin again."""

    code, title = "login.attempt_unknown", "This log-in cannot be finished here"


class LoginFailed(BadRequest):
    """What the provider answered cannot be believed. Why is in the log, and for no one outside."""

    code, title = "login.failed", "The log-in failed"


class LoginDenied(Forbidden):
    """The person said no at the provider."""

    code, title = "login.denied", "The log-in was called off"


class EmailUnverified(Forbidden):
    """The provider does not vouch for the e-mail address, so no account is made of it."""

    code, title = "login.email_unverified", "The provider has not verified the e-mail address"


class AccountExists(Conflict):
    """The address has an account, to which this identity is not linked: log in to it, then link."""

    code, title = "login.account_exists", "Log in to your account to link it"


class RegistrationNeeded(Conflict):
    """There is no account yet, and registering needs more than the provider tells."""

    code, title = "login.registration_needed", "Register first"


class AlreadyLinked(Conflict):
    """The identity at the provider is linked to another account."""

    code, title = "login.already_linked", "Linked to another account"


class LastWayIn(Conflict):
    """Without it nobody could log in to the account: set a password first."""

    code, title = "login.last_way_in", "The last way in"


class ProviderAway(Unavailable):
    """The provider cannot be asked now."""

    code, title = "login.provider_away", "The provider does not answer"
