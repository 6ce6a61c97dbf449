"""Mandates, as the landlord, the agent and staff reach them."""

from __future__ import annotations

from freehold import Access, Queries, Resource, Schemas, owner, role, unique_while

from ..access import STAFF
from . import crud
from .models import Mandate
from .schemas import MandateDraft, MandateRead

LANDLORD, AGENT = owner("landlord_id"), owner("agent_id")

mandates = Resource(
    Mandate,
    schemas=Schemas(read=MandateRead, create=MandateDraft),
    create=crud.offer,
    access=Access(read=LANDLORD | AGENT | STAFF, create=role("landlord") & LANDLORD),
    queries=Queries(filters=["status", "property_id", "agent_id"], sort=["-created_at"]),
    invariants=[
        unique_while(
            "property_id", when=Mandate.status.in_(("offered", "active")), code="imba.mandated", name="imba_mandated"
        )
    ],
    owner="landlord_id",
)
mandates.action("acceptance", crud.accept, access=AGENT, summary="Take it on", problems=[crud.WrongMandate])
mandates.action(
    "ending", crud.end, access=LANDLORD | AGENT, summary="End it, or decline it", problems=[crud.WrongMandate]
)
