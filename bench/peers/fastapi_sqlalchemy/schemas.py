"""What goes over the wire."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field


class PropertyCreate(BaseModel):
    model_config = ConfigDict(extra="forbid")

    title: Annotated[str, Field(max_length=200)]
    description: str
    city: Annotated[str, Field(max_length=100)]
    kind: Annotated[str, Field(max_length=20)]
    bedrooms: int
    bathrooms: int
    area_m2: int
    price_amount: int
    price_currency: Annotated[str, Field(max_length=3)]
    latitude: float
    longitude: float
    built_in: int


class PropertyUpdate(BaseModel):
    model_config = ConfigDict(extra="forbid")

    title: Annotated[str, Field(max_length=200)] | None = None
    price_amount: int | None = None


class PropertyRead(BaseModel):
    model_config = ConfigDict(from_attributes=True)

    id: UUID
    title: str
    description: str
    city: str
    kind: str
    bedrooms: int
    bathrooms: int
    area_m2: int
    price_amount: int
    price_currency: str
    latitude: float
    longitude: float
    built_in: int
    owner_id: UUID
    created_at: datetime
    updated_at: datetime


class PropertyPage(BaseModel):
    items: list[PropertyRead]


class NoteRead(BaseModel):
    model_config = ConfigDict(from_attributes=True)

    id: UUID
    text: str
    owner_id: UUID
    created_at: datetime
    updated_at: datetime


class NotePage(BaseModel):
    items: list[NoteRead]


class UserRead(BaseModel):
    model_config = ConfigDict(from_attributes=True)

    id: UUID
    email: str
    full_name: str
    roles: list[str]
    is_active: bool
    email_verified_at: datetime | None
    created_at: datetime
    updated_at: datetime
