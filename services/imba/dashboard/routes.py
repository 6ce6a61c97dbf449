"""The figures, as a landlord reaches them."""

from __future__ import annotations

from typing import Annotated

from fastapi import Query

from freehold import Caller, Db, Router, allow, role

from . import crud
from .schemas import Dashboard, Period

router = Router(prefix="/v1/dashboard", tags=["dashboard"])


@router.get("", dependencies=[allow(role("landlord"))], summary="A landlord's figures")
async def dashboard(db: Db, caller: Caller, period: Annotated[Period, Query()]) -> Dashboard:
    """Occupancy and income by month, and each property's requests, over the caller's own properties."""
    return await crud.look(db, caller, period)
