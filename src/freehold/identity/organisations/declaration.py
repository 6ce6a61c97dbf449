"""`Organisations`: that a service has them, and how they are run."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from freehold.errors import Forbidden
from freehold.resource.access import Rule, signed_in
from freehold.resource.roles import ORGANISATION_ROLES, Roles


@dataclass(frozen=True, kw_only=True)
class Organisations:
    """Declare that accounts can be members of organisations: `Identity(organisations=Organisations())`.

    roles: those within an organisation. owner: the role of the founder; an organisation always has somebody with it.
    manager: who may invite, and give and take roles that their own comes to. founding: who may found one.
    invitation_lifetime: of a mailed link.
    Raises ConfigurationError for a role that `roles` does not declare.
    """

    roles: Roles = ORGANISATION_ROLES
    owner: str = "owner"
    manager: str = "manager"
    founding: Rule = signed_in
    invitation_lifetime: timedelta = timedelta(days=7)

    def __post_init__(self) -> None:
        for name in (self.owner, self.manager):
            self.roles.holding(name)

    def require(self, held: str, wanted: str) -> None:
        """Raise Forbidden unless the role that somebody holds is the wanted one or comes to it."""
        if held not in self.roles.holding(wanted):
            raise Forbidden(f"This needs the role {wanted!r} in the organisation.")

    def require_rank(self, held: str, touched: str) -> None:
        """Raise Forbidden unless a role is one that the holder of another may give and take: their own, or one below."""
        if touched not in self.roles.expanded([held]):
            raise Forbidden("Only who has this role, or one that comes to it, may give or take it.")
