"""The people of the demo. They exist only where demo data was asked for."""

from __future__ import annotations

from dataclasses import dataclass

from .users.models import Account

PASSWORD = "lantern quarry velvet 42"  # noqa: S105  # printed at the start, and refused in production


@dataclass(frozen=True, slots=True)
class DemoAccount:
    """One of them. purpose: what one logs in as them for."""

    email: str
    full_name: str
    account: Account | None
    roles: tuple[str, ...]
    purpose: str


LANDLORD = DemoAccount(
    "landlord@demo.example", "Ines Moreau", "landlord", ("landlord",), "owns the houses that are let by the night"
)
SELLER = DemoAccount("seller@demo.example", "Tomas Brandt", "landlord", ("landlord",), "owns the houses for sale")
TENANT = DemoAccount("tenant@demo.example", "Wen Li", "tenant", ("tenant",), "reserves stays")
STAFF = DemoAccount(
    "staff@demo.example", "Grace Abara", None, ("reviewer", "admin"), "reviews verification requests, administers"
)
ACCOUNTS = (TENANT, LANDLORD, SELLER, STAFF)
