"""Accounts, passwords, tokens, log-ins and signing keys of a service.

Belongs here: who a caller is, and the rows behind that. Never here: HTTP (see `freehold.web.identity`) and what a caller
may do with a resource (that is its access rule).
"""

from freehold.identity.accounts import EmailTaken
from freehold.identity.api_keys import KeyLifetimes
from freehold.identity.authentication import TWO_FACTORS, Authentication
from freehold.identity.blocklist import Blocklist
from freehold.identity.browser_sessions import BrowserLifetimes, BrowserSession, BrowserSessions
from freehold.identity.emails import email_key
from freehold.identity.entry import FactorRequired
from freehold.identity.impersonation import Impersonation
from freehold.identity.login import WrongCredentials
from freehold.identity.magic_links import MagicLinks
from freehold.identity.notices import LETTERS, Mailer, Paths
from freehold.identity.organisations import Organisations
from freehold.identity.pages import Pages
from freehold.identity.passwords import Cost, Passwords
from freehold.identity.policy import PasswordPolicy
from freehold.identity.provider import Provider
from freehold.identity.schemas import UserCreate, UserRead, UserUpdate
from freehold.identity.service import Identity
from freehold.identity.sessions import Device, InvalidGrant, Lifetimes, TokenAnswer
from freehold.identity.social import GitHub, OpenId, google
from freehold.identity.users import UserMixin

__all__ = [
    "LETTERS",
    "TWO_FACTORS",
    "Authentication",
    "Blocklist",
    "BrowserLifetimes",
    "BrowserSession",
    "BrowserSessions",
    "Cost",
    "Device",
    "EmailTaken",
    "FactorRequired",
    "GitHub",
    "Identity",
    "Impersonation",
    "InvalidGrant",
    "KeyLifetimes",
    "Lifetimes",
    "MagicLinks",
    "Mailer",
    "OpenId",
    "Organisations",
    "Pages",
    "PasswordPolicy",
    "Passwords",
    "Paths",
    "Provider",
    "TokenAnswer",
    "UserCreate",
    "UserMixin",
    "UserRead",
    "UserUpdate",
    "WrongCredentials",
    "email_key",
    "google",
]
