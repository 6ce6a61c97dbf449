"""Roles and what they come to, declared in one place."""

from __future__ import annotations

import pytest

from freehold import Principal, Roles, member, permission, role
from freehold.errors import ConfigurationError
from freehold.resource.access import anyone, nobody

ROLES = Roles(
    admin=["reviewer", "accounts:close"],
    reviewer=["support", "listings:publish"],
    support=["tickets:answer"],
    tenant=[],
)


def test_a_role_comes_to_what_it_includes_all_the_way_down() -> None:
    assert ROLES.expanded(["admin"]) == {
        "admin", "reviewer", "support", "accounts:close", "listings:publish", "tickets:answer"
    }  # fmt: skip
    assert ROLES.expanded(["tenant", "support"]) == {"tenant", "support", "tickets:answer"}
    assert ROLES.names == ("admin", "reviewer", "support", "tenant")
    assert ROLES.permissions == {"accounts:close", "listings:publish", "tickets:answer"}


def test_a_permission_that_an_account_holds_by_itself_counts_for_nothing() -> None:
    assert ROLES.expanded(["tenant", "accounts:close"]) == {"tenant"}
    assert ROLES.expanded(["gone"]) == {"gone"}, "a role that is not declared any more comes to nothing"


def test_which_roles_come_to_one() -> None:
    assert ROLES.holding("support") == ("admin", "reviewer", "support")
    assert ROLES.holding("listings:publish") == ("admin", "reviewer")
    with pytest.raises(ConfigurationError, match="no role 'captain'"):
        ROLES.holding("captain")


@pytest.mark.parametrize(
    ("declared", "said"),
    [
        ({"a": ["b"]}, "includes 'b', which is not declared"),
        ({"a": ["b"], "b": ["c"], "c": ["a"]}, "a includes b includes c includes a"),
        ({"a": ["a"]}, "a includes a"),
        ({"Admin": []}, "no name of a role"),
        ({"a:b": []}, "no name of a role"),
        ({"a": ["listings:"]}, "noun:verb"),
        ({"a": "reviewer"}, "a list"),
    ],
)
def test_a_wrong_declaration_is_refused_with_the_remedy(declared: dict[str, list[str]], said: str) -> None:
    with pytest.raises(ConfigurationError, match=said):
        Roles(declared)


def test_a_rule_asks_for_a_permission_as_for_a_role() -> None:
    rule = permission("listings:publish")
    assert rule.simplify(Principal(roles=ROLES.expanded(["admin"]))) == anyone
    assert rule.simplify(Principal(roles=ROLES.expanded(["tenant"]))) == nobody
    assert rule.describe() == "permission('listings:publish')"
    assert role("reviewer").simplify(Principal(roles=ROLES.expanded(["admin"]))) == anyone
    with pytest.raises(TypeError, match="write role"):
        permission("reviewer")


def test_a_rule_about_members_names_roles_within_the_organisation() -> None:
    assert member("team_id", role="member").held == ("owner", "manager", "member")
    assert member("team_id", role="manager").describe() == "member('team_id', role='manager')"
    assert member("team_id").simplify(Principal()) == nobody
    with pytest.raises(ConfigurationError, match="'captain'"):
        member("team_id", role="captain")
