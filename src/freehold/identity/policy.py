"""What makes a password acceptable (NIST SP 800-63B-4: length and a blocklist; no composition, no expiry)."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field

from freehold.errors import FieldError, Invalid
from freehold.identity.blocklist import Blocklist, bundled
from freehold.identity.passwords import LONGEST, normalise

# A shorter name is in too many good passwords ("Ada", "Li").
_NAME_LETTERS = 4
# NIST SP 800-63B-4 3.1.1.2: no verifier may ask for less than the first, or refuse what is shorter than the second.
LEAST_MINIMUM = 8
LEAST_MAXIMUM = 128


@dataclass(frozen=True, slots=True)
class PasswordPolicy:
    """Lengths are in characters (code points in NFC).

    minimum: where the password stands alone. minimum_with_factor: where a second factor is required of the account.
    service_name: may not be part of a password, nor may the account's own names (of 4 letters or more).
    """

    minimum: int = 15
    minimum_with_factor: int = 8
    maximum: int = 256
    service_name: str = ""
    blocklist: Blocklist = field(default_factory=bundled)

    def __post_init__(self) -> None:
        if not LEAST_MINIMUM <= self.minimum_with_factor <= self.minimum:
            raise ValueError(
                f"the minimum with a second factor is at least {LEAST_MINIMUM} and at most the minimum without"
            )
        if not LEAST_MAXIMUM <= self.maximum <= LONGEST:
            raise ValueError(f"the maximum is at least {LEAST_MAXIMUM} and at most {LONGEST}")

    def check(
        self, password: str, *, names: Iterable[str] = (), has_factor: bool = False, pointer: str = "/password"
    ) -> None:
        """Raise `Invalid` with the reason, pointing at `pointer`. names: full name and e-mail of the account."""
        fault = self._fault(password, names, self.minimum_with_factor if has_factor else self.minimum)
        if fault is not None:
            code, message = fault
            raise Invalid("The password is not acceptable.", errors=[FieldError(code, message, pointer=pointer)])

    def _fault(self, password: str, names: Iterable[str], minimum: int) -> tuple[str, str] | None:
        text = normalise(password)
        if not _is_text(text):
            return "password.malformed", "The password is not valid Unicode text."
        if len(text) < minimum:
            return "password.too_short", f"The password needs at least {minimum} characters."
        if len(text) > self.maximum:
            return "password.too_long", f"The password may have at most {self.maximum} characters."
        if text in self.blocklist:
            return "password.common", "The password is on the list of passwords that are tried first."
        if _holds_any(text, name_parts(self.service_name, *names)):
            return "password.holds_name", "The password holds the name of the service or of the account."
        return None


def name_parts(*names: str) -> set[str]:
    """The words of names, case folded: `"Ada Lovelace"` -> ada, lovelace; of an e-mail the part before `@` and `+`."""
    parts: set[str] = set()
    for name in names:
        local = name.rpartition("@")[0].partition("+")[0] if "@" in name else ""
        parts.update([local] if local else re.split(r"[\s,.;:_/\\-]+", name))
    return {normalise(part).casefold() for part in parts if sum(map(str.isalpha, part)) >= _NAME_LETTERS}


def _holds_any(password: str, parts: set[str]) -> bool:
    folded = password.casefold()
    return any(part in folded for part in parts)


def _is_text(password: str) -> bool:
    return not any("\ud800" <= character <= "\udfff" for character in password)
