"""Who may do what, where several features say the same."""

from __future__ import annotations

from freehold import Access, owner, role, signed_in

STAFF = role("reviewer", "admin")
OWN = owner("user_id")
KEPT = Access(read=OWN, create=signed_in & OWN, delete=OWN)
"""What people keep for themselves: everybody their own, and nobody anybody else's."""
MANAGING = role("landlord", "agent")
MANAGER = owner("property.landlord_id") | owner("property.agent_id")
"""Who manages the property that a row hangs on: its landlord, and the agent with a mandate for it."""
