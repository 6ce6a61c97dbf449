"""Accounts: registration, log-in, tokens and reset by mail come with `identity`."""

from __future__ import annotations

from freehold import Identity, UserMixin

from .base import Base


class User(UserMixin, Base):
    """An account. Columns of your own go here; `freehold migrate make "what changed"` writes their migration."""


identity = Identity(user=User, roles=("admin",), staff_roles=("admin",))
