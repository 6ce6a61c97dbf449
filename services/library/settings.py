"""The settings of Library, under `LIBRARY_`."""

from __future__ import annotations

from pydantic import Field

from freehold.fields import Currency
from freehold.local_time import TimeZone
from freehold.settings import ServiceSettings


class LibrarySettings(ServiceSettings, prefix="LIBRARY_"):
    """What an operator may choose. Domain functions ask their session: `db.part(LibrarySettings)`."""

    name: str = Field(
        "Main library", min_length=1, max_length=120, description="Of the first library, made when needed."
    )
    time_zone: TimeZone = Field("UTC", description="Of the first library; due dates and closed days are its days.")
    currency: Currency = Field("EUR", description="Of the first library: fines and prices.")
    default_category: str = Field("adult", max_length=40, description="Whoever registers becomes a patron of this one.")
    membership_days: int = Field(365, ge=1, description="So long a new card is good.")
    owing_most: int = Field(1000, ge=0, description="Who owes more, in minor units, borrows and renews no more.")
    remind_days: int = Field(2, ge=0, description="So many days before a loan is due its patron is reminded.")
    forget_after_days: int = Field(
        14, ge=0, description="So long after a return the loan names who had it, where no reading history is kept."
    )
