"""The report, as librarians reach it."""

from __future__ import annotations

from typing import Annotated

from fastapi import Query

from freehold import Db, Router, allow, role

from . import crud
from .schemas import Period, Report

router = Router(prefix="/v1/reports", tags=["reports"], dependencies=[allow(role("librarian"))])


@router.get("/circulation", summary="What was lent, and how things stand")
async def circulation(db: Db, period: Annotated[Period, Query()]) -> Report:
    """The figures of a period."""
    return await crud.report(db, period)
