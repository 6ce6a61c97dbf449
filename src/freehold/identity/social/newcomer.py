"""An account for somebody whom a provider has named: what a registration would have said, from what the provider says."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from typing import Any, Final

from pydantic import BaseModel, ValidationError, create_model

from freehold.identity.social.problems import EmailUnverified, RegistrationNeeded
from freehold.identity.social.provider import Profile

_LONGEST_NAME: Final = 200
_OF_THE_PROVIDER: Final = ("email", "full_name", "password")


class Newcomers:
    """Makes drafts of the service's own registration schema, without a password."""

    def __init__(self, create: type[BaseModel]) -> None:
        self._draft = create_model(f"{create.__name__}WithoutPassword", __base__=create, password=(None, None))

    def draft(self, profile: Profile, registration: Mapping[str, Any] | None) -> BaseModel:
        """A checked draft. registration: further fields, as the person gave them when they began.

        Raises EmailUnverified, and RegistrationNeeded where fields are missing or not good.
        """
        if profile.email is None or not profile.is_email_verified:
            raise EmailUnverified("The provider has not verified the e-mail address: register with a password.")
        further = {name: value for name, value in (registration or {}).items() if name not in _OF_THE_PROVIDER}
        name = _one_line(profile.full_name) or profile.email.partition("@")[0]
        try:
            return self._draft.model_validate({"email": profile.email, "full_name": name, **further})
        except ValidationError as error:
            raise RegistrationNeeded("There is no account yet: register first.") from error


def _one_line(text: str) -> str:
    shown = (each if unicodedata.category(each)[0] != "C" else " " for each in unicodedata.normalize("NFC", text))
    return " ".join("".join(shown).split())[:_LONGEST_NAME]
