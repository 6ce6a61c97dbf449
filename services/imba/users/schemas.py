"""What clients send and see of an account, beyond what every service has."""

from __future__ import annotations

from freehold.identity import UserCreate, UserRead

from .models import Account


class Registration(UserCreate):
    """A new account: somebody who looks for a place, or somebody who offers one."""

    account: Account


class UserProfile(UserRead):
    """An account. `account` is what its person registered as; staff have none."""

    account: Account | None
