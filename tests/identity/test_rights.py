"""What a role comes to where some need a second factor: nothing is reached around it."""

from __future__ import annotations

from freehold import Roles
from freehold.identity.authentication import Requirement
from freehold.identity.rights import Rights

ROLES = Roles(admin=["reviewer"], reviewer=["listings:publish"], clerk=["listings:publish"])
RIGHTS = Rights.of(ROLES, Requirement.of({"reviewer"}))


def test_a_role_that_comes_to_one_with_a_factor_needs_the_factor_too() -> None:
    counts, withheld = RIGHTS.counting(frozenset({"admin"}), ["pwd"])
    assert counts == frozenset(), "neither the role nor a permission through it"
    assert withheld == {"admin", "reviewer", "listings:publish"}
    assert RIGHTS.counting(frozenset({"admin"}), ["pwd", "otp", "mfa"]) == (withheld, frozenset())
    assert RIGHTS.requirement.concerns(["admin"])


def test_what_another_role_gives_counts_without_it() -> None:
    counts, withheld = RIGHTS.counting(frozenset({"admin", "clerk"}), ["pwd"])
    assert counts == {"clerk", "listings:publish"}
    assert withheld == {"admin", "reviewer"}


def test_without_declared_roles_each_stands_for_itself() -> None:
    plain = Rights.of(None, Requirement.of({"admin"}))
    assert plain.counting(frozenset({"admin", "clerk"}), []) == ({"clerk"}, {"admin"})
