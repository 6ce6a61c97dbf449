"""Tables and schemas in one family of classes, as the full-stack template has them."""

import uuid
from datetime import UTC, datetime

from sqlalchemy import JSON, Column, DateTime
from sqlmodel import Field, SQLModel


def now() -> datetime:
    return datetime.now(UTC)


class Stamps(SQLModel):
    created_at: datetime = Field(default_factory=now, sa_type=DateTime(timezone=True))
    updated_at: datetime = Field(default_factory=now, sa_type=DateTime(timezone=True))


class UserBase(SQLModel):
    email: str = Field(max_length=320)
    full_name: str = Field(max_length=200)
    is_active: bool = True
    email_verified_at: datetime | None = Field(default=None, sa_type=DateTime(timezone=True))


class User(UserBase, Stamps, table=True):
    __tablename__ = "users"
    id: uuid.UUID = Field(default_factory=uuid.uuid4, primary_key=True)
    roles: list[str] = Field(default_factory=list, sa_column=Column(JSON))


class UserPublic(UserBase, Stamps):
    id: uuid.UUID
    roles: list[str]


class PropertyBase(SQLModel):
    title: str = Field(max_length=200)
    description: str
    city: str = Field(max_length=100)
    kind: str = Field(max_length=20)
    bedrooms: int
    bathrooms: int
    area_m2: int
    price_amount: int
    price_currency: str = Field(max_length=3)
    latitude: float
    longitude: float
    built_in: int


class PropertyCreate(PropertyBase):
    pass


class PropertyUpdate(SQLModel):
    title: str | None = Field(default=None, max_length=200)
    price_amount: int | None = None


class Property(PropertyBase, Stamps, table=True):
    __tablename__ = "properties"
    id: uuid.UUID = Field(default_factory=uuid.uuid4, primary_key=True)
    owner_id: uuid.UUID
    row_version: int = 1


class PropertyPublic(PropertyBase, Stamps):
    id: uuid.UUID
    owner_id: uuid.UUID


class PropertiesPublic(SQLModel):
    items: list[PropertyPublic]


class NoteBase(SQLModel):
    text: str = Field(max_length=500)


class Note(NoteBase, Stamps, table=True):
    __tablename__ = "notes"
    id: uuid.UUID = Field(default_factory=uuid.uuid4, primary_key=True)
    owner_id: uuid.UUID


class NotePublic(NoteBase, Stamps):
    id: uuid.UUID
    owner_id: uuid.UUID


class NotesPublic(SQLModel):
    items: list[NotePublic]
