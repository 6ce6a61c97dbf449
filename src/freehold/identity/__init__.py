"""Accounts, passwords, tokens, log-ins and signing keys of a service.

Belongs here: who a caller is, and the rows behind that. Never here: HTTP (see `freehold.web.identity`) and what a caller
may do with a resource (that is its access rule).
"""

from freehold.identity.accounts import EmailTaken
from freehold.identity.blocklist import Blocklist
from freehold.identity.emails import email_key
from freehold.identity.login import WrongCredentials
from freehold.identity.notices import LETTERS, Mailer, Paths
from freehold.identity.passwords import Cost, Passwords
from freehold.identity.policy import PasswordPolicy
from freehold.identity.schemas import UserCreate, UserRead, UserUpdate
from freehold.identity.service import Identity
from freehold.identity.sessions import Device, InvalidGrant, Lifetimes, TokenAnswer
from freehold.identity.users import UserMixin

__all__ = [
    "LETTERS",
    "Blocklist",
    "Cost",
    "Device",
    "EmailTaken",
    "Identity",
    "InvalidGrant",
    "Lifetimes",
    "Mailer",
    "PasswordPolicy",
    "Passwords",
    "Paths",
    "TokenAnswer",
    "UserCreate",
    "UserMixin",
    "UserRead",
    "UserUpdate",
    "WrongCredentials",
    "email_key",
]
