"""What stands in the way within an organisation."""

from __future__ import annotations

from freehold.errors import Conflict


class LastOwner(Conflict):
    """The organisation would be left without an owner: pass it on, or close it, first."""

    code, title = "organisation.last_owner", "The last owner"

    def __init__(self) -> None:
        super().__init__("An organisation needs an owner: make somebody else one first, or close the organisation.")


class AlreadyMember(Conflict):
    """The address is that of a member already."""

    code, title = "organisation.already_member", "A member already"
