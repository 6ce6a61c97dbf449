"""The owner's own blocks, as the landlord reaches them; and the one rule about taken nights."""

from __future__ import annotations

from freehold import Access, Queries, Resource, Schemas, no_overlap, where

from ..access import MANAGER, MANAGING
from . import crud
from .models import Block
from .schemas import BlockDraft, BlockRead

OWN = MANAGER & where(Block.kind == "owner")

blocks = Resource(
    Block,
    schemas=Schemas(read=BlockRead, create=BlockDraft),
    create=crud.block,
    access=Access(read=OWN, create=MANAGING & OWN, delete=OWN),
    queries=Queries(filters=["property_id", "end__gte", "start__lte"], sort=["start", "-created_at"]),
    invariants=[
        no_overlap(
            "property_id",
            during=("start", "end"),
            when=Block.kind.in_(("owner", "stay")),
            code="imba.dates_taken",
            name="imba_dates_taken",
            reveals=("start", "end"),
        )
    ],
    public_facts=["start", "end"],
    problems=[crud.DatesTaken],
)
