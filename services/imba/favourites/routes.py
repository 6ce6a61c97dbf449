"""Favourites, as clients reach them: as a list, and as a switch on each listing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import ColumnElement

from freehold import (
    Caller,
    Db,
    Filter,
    Queries,
    Resource,
    Router,
    Schemas,
    allow,
    at_most,
    signed_in,
    unique_while,
)
from freehold.web import key_in_path

from ..access import KEPT
from . import crud
from .models import Favourite
from .schemas import FavouriteDraft, FavouriteRead

MOST_FAVOURITES = 300


def _offered(given: Mapping[str, Any]) -> ColumnElement[bool]:
    return crud.is_offered() if given["offered"] else ~crud.is_offered()


favourites = Resource(
    Favourite,
    schemas=Schemas(read=FavouriteRead, create=FavouriteDraft),
    create=crud.add,
    access=KEPT,
    queries=Queries(
        filters=[
            "property_id",
            Filter(params={"offered": bool}, clause=_offered, description="On the market still, or not any more"),
        ],
        sort=["-created_at"],
        expand=["property"],
    ),
    invariants=[
        unique_while("user_id", "property_id", name="imba_favourite_once"),
        at_most(MOST_FAVOURITES, per="user_id", code="imba.too_many_favourites", name="imba_favourites"),
    ],
    owner="user_id",
)

router = Router(prefix="/v1/properties/{property_id}/favourite", tags=["favourites"])


@router.put("", dependencies=[allow(signed_in)], summary="Put a listing aside")
async def put_favourite(db: Db, caller: Caller, property_id: str) -> FavouriteRead:
    """Put a listing aside; a second time changes nothing."""
    return FavouriteRead.model_validate(await crud.put(db, caller, key_in_path(property_id)))


@router.delete("", dependencies=[allow(signed_in)], status_code=204, summary="Put a listing aside no more")
async def remove_favourite(db: Db, caller: Caller, property_id: str) -> None:
    """Put a listing aside no more; a second time changes nothing."""
    await crud.remove(db, caller, key_in_path(property_id))
