"""What pages say of refusals, devices and what was done. The API says it in English; pages, in the reader's language."""

from __future__ import annotations

from collections.abc import Mapping

from freehold.identity.devices import program_and_system
from freehold.identity.locations import Location
from freehold.wording import Phrase, phrase

GENERAL = ""
"""The name under which a form keeps what is wrong with none of its fields."""

_PROBLEMS: dict[str, Phrase] = {
    "auth.wrong_credentials": phrase("E-mail or password is wrong."),
    "auth.code_refused": phrase("The code is wrong, too old, or was used before."),
    "auth.passkey_refused": phrase("This passkey is not known here, or its answer came too late."),
    "auth.step_over": phrase("This log-in took too long. Begin again."),
    "auth.forged_request": phrase("The page was open for too long, or its form came from elsewhere. Try again."),
    "identity.email_taken": phrase("This e-mail address has an account already."),
    "identity.token_invalid": phrase("The link is used, too old, or not the newest one. Ask for a new one."),
    "token.invalid": phrase("The link is used, too old, or not the newest one. Ask for a new one."),
    "identity.factor_exists": phrase("There is an authenticator app already. Remove it first."),
    "identity.last_factor": phrase("Your account has to have a second factor: add another one first."),
    "identity.nothing_to_confirm": phrase("There is nothing to confirm any more. Begin again."),
    "identity.passkey_malformed": phrase("This passkey cannot be added."),
    "login.last_way_in": phrase("This is your last way in. Set a password first."),
    "password.malformed": phrase("The password holds characters that cannot be used."),
    "password.too_long": phrase("The password is too long."),
    "password.common": phrase("This password is on the list of those that are tried first. Take another."),
    "password.holds_name": phrase("The password may not hold your name or that of this service."),
    "api_key.scope": phrase("A key of yours cannot have these scopes."),
    "identity.too_many_keys": phrase("You have as many keys as an account may have. Revoke one first."),
    "oauth.request_incomplete": phrase("The application's request is not complete."),
    "oauth.client_unknown": phrase("The application is not known here."),
    "oauth.address_unknown": phrase("The application asks for an answer at an address that is not registered for it."),
    "oauth.not_pushed": phrase("The application has to send its request in another way (PAR)."),
    "oauth.request_over": phrase("The application's request is used or too old. Go back to it and begin again."),
    "oauth.page_incomplete": phrase("This page is not complete. Go back to the application and begin again."),
    "oauth.page_over": phrase("This took too long. Go back to the application and begin again."),
    "organisation.last_owner": phrase("An organisation would be left without an owner. Name another one first."),
    "auth.forbidden": phrase("You may not do this."),
    "auth.insufficient_scope": phrase("You may not do this."),
    "request.malformed": phrase("This form could not be read. Try again."),
    "request.not_found": phrase("It is not there any more."),
}

_SCOPES: dict[str, Phrase] = {
    "openid": phrase("Know that it is you, by an identifier of this service"),
    "profile": phrase("See your name"),
    "email": phrase("See your e-mail address"),
    "offline_access": phrase("Keep this access while you are not there, until you withdraw it"),
}

_DONE: dict[str, Phrase] = {
    "logged-out": phrase("You are logged out."),
    "step-over": phrase("This log-in took too long. Begin again."),
    "provider-refused": phrase("The other site did not let you in. Try again, or log in with your password."),
    "verified": phrase("Your e-mail address is confirmed."),
    "reset": phrase("Your new password is set. Log in with it."),
    "saved": phrase("Saved."),
    "password": phrase("Your password is changed. You were logged out everywhere else."),
    "email": phrase("Open the link that we have sent to the new address: it counts from then on."),
    "verification-sent": phrase("We have sent you another link."),
    "session-ended": phrase("That log-in has ended."),
    "key-revoked": phrase("The key is revoked."),
    "factor-added": phrase("The second factor is added."),
    "factor-removed": phrase("The second factor is removed."),
    "withdrawn": phrase("The consent is withdrawn."),
    "unlinked": phrase("The log-in is not linked any more."),
    "erased": phrase("Your account is deleted."),
}

# Of the names that `identity.devices` gives, those that are words and no names.
_PROGRAMS: dict[str, Phrase] = {
    "an Android app": phrase("an Android app"),
    "an Apple app": phrase("an Apple app"),
}


def of_problem(code: str, message: str, *, minimum: int = 0, seconds: int = 0) -> Phrase | str:
    """A refusal by its code; its English where pages have no words of their own for it.

    minimum: characters of a password. seconds: until another try.
    """
    if code == "password.too_short":
        return phrase("The password needs at least {number} characters.", number=minimum)
    if seconds:
        return phrase("Too many tries. Try again in {seconds} seconds.", seconds=seconds)
    return _PROBLEMS.get(code, message)


def of_value(name: str, kind: str, *, is_there: bool) -> Phrase:
    """What a schema refuses. kind: Pydantic's name of the fault."""
    if kind == "missing" or not is_there:
        return phrase("Fill this in.")
    if name == "email":
        return phrase("This is not an e-mail address.")
    if kind in ("literal_error", "enum"):
        return phrase("Choose one of these.")
    if kind == "string_too_long":
        return phrase("This is too long.")
    return phrase("This cannot be used here.")


def of_scope(name: str, own: Mapping[str, Phrase | str]) -> Phrase | str:
    """What a scope lets an application do. own: the sentences of the service's own scopes."""
    return _SCOPES.get(name) or own.get(name, name)


def notice(code: str) -> Phrase | None:
    """What was done, by the mark in the address; None for any other text there."""
    return _DONE.get(code)


def device(user_agent: str) -> Phrase | str:
    """A short name of what somebody logged in with."""
    program, system = program_and_system(user_agent)
    if program is None:
        return system or phrase("unknown device")
    known = _PROGRAMS.get(program, program)
    return known if system is None else phrase("{program} on {system}", program=known, system=system)


def place(found: Location | None, language: str) -> Phrase | str:
    """Where that was. The names are the database's, in a language that it may have them in."""
    return phrase("unknown place") if found is None else found.name(language)
