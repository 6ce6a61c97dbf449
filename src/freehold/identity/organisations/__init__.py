"""Organisations: people who share rows, each with a role among them. Rules ask `member("organisation_id")`.

Belongs here: who is a member, how one becomes and ceases to be one. Never here: HTTP (`freehold.web.organisations`), and
what members may do with a row (its access rule).
"""

from freehold.identity.organisations.declaration import Organisations
from freehold.identity.organisations.problems import AlreadyMember, LastOwner
from freehold.identity.organisations.tables import INVITATIONS

__all__ = ["INVITATIONS", "AlreadyMember", "LastOwner", "Organisations"]
