"""E-mail addresses: how they are written, and when two are one account."""

from __future__ import annotations

import unicodedata
from typing import Annotated

from email_validator import EmailNotValidError, validate_email
from pydantic import AfterValidator, Field

# RFC 5321 4.5.3.1.3: a path has 256 octets, two of which are its brackets.
LONGEST_EMAIL = 254


def parse_email(text: str) -> str:
    """The address in its normal form: local part as written, domain in lower case. Raises ValueError.

    No DNS is asked: a request must not wait for a resolver, and an address is proved by a mail to it.
    """
    if len(text) > LONGEST_EMAIL:
        raise ValueError("not an e-mail address")
    try:
        # test_environment: `@name.test` is reserved for tests and can never belong to anybody.
        return validate_email(text, check_deliverability=False, test_environment=True).normalized
    except EmailNotValidError:
        raise ValueError("not an e-mail address") from None


def email_key(address: str) -> str:
    """What makes two addresses one account: equal under NFKC and case folding.

    Mail systems may tell case apart in the local part; people, and those who imitate them, do not.
    """
    # Folding can undo normal form and the other way about; two rounds reach the fixed point (Unicode 3.13, D146).
    folded = unicodedata.normalize("NFKC", address)
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", folded.casefold()).casefold())


def login_key(text: str) -> str:
    """The key of whatever was typed at a log-in, also when it is no address: it is counted and looked up alike."""
    try:
        return email_key(parse_email(text))
    except ValueError:
        # NUL and lone surrogates belong to no address, and no database takes them.
        return email_key(text.strip()[:320].encode("utf-8", "replace").decode().replace("\0", "\ufffd"))


Email = Annotated[
    str,
    Field(max_length=LONGEST_EMAIL, examples=["ada@example.com"], json_schema_extra={"format": "email"}),
    AfterValidator(parse_email),
]
