"""django-ninja: Pydantic schemas around Django's models."""

from datetime import datetime
from uuid import UUID

import jwt
from django.http import HttpRequest, HttpResponse
from ninja import Field, NinjaAPI, Query, Schema
from ninja.security import HttpBearer
from tokens import subject

from project.models import Note, Property, User
from project.searching import change, tag, wanted

api = NinjaAPI(openapi_url=None, docs_url=None)


class Bearer(HttpBearer):
    def authenticate(self, request, token):
        try:
            user = User.objects.get(pk=subject(token))
        except (jwt.InvalidTokenError, User.DoesNotExist):
            return None
        return user if user.is_active else None


class PropertyIn(Schema):
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


class PropertyChange(Schema):
    title: str | None = Field(None, max_length=200)
    price_amount: int | None = None


class PropertyOut(PropertyIn):
    id: UUID
    owner_id: UUID
    created_at: datetime
    updated_at: datetime


class PropertiesOut(Schema):
    items: list[PropertyOut]


class NoteOut(Schema):
    id: UUID
    text: str
    owner_id: UUID
    created_at: datetime
    updated_at: datetime


class NotesOut(Schema):
    items: list[NoteOut]


class UserOut(Schema):
    id: UUID
    email: str
    full_name: str
    roles: list[str]
    is_active: bool
    email_verified_at: datetime | None
    created_at: datetime
    updated_at: datetime


class Wanted(Schema):
    city: str | None = None
    kind: str | None = None
    bedrooms__gte: int | None = None
    q: str | None = None
    limit: int = 20
    offset: int = 0


@api.get("/status")
def status(request: HttpRequest):
    return {"status": "ok"}


@api.get("/properties/{uuid:id}", response=PropertyOut)
def read_property(request: HttpRequest, id: UUID, response: HttpResponse):
    found = Property.objects.filter(pk=id).first()
    if found is None:
        return HttpResponse(status=404)
    if request.headers.get("If-None-Match") == tag(found):
        return HttpResponse(status=304, headers={"ETag": tag(found)})
    response["ETag"] = tag(found)
    return found


@api.get("/properties", response=PropertiesOut)
def list_properties(request: HttpRequest, asked: Query[Wanted]):
    rows = wanted(asked.dict())
    return {"items": rows[asked.offset : asked.offset + asked.limit]}


@api.post("/properties", response={201: PropertyOut}, auth=Bearer())
def create_property(request: HttpRequest, draft: PropertyIn):
    return 201, Property.objects.create(**draft.dict(), owner_id=request.auth.pk)


@api.patch("/properties/{uuid:id}", response=PropertyOut, auth=Bearer())
def update_property(request: HttpRequest, id: UUID, changes: PropertyChange, response: HttpResponse):
    if not change(id, request.headers["If-Match"], changes.dict(exclude_unset=True)):
        return HttpResponse(status=412)
    found = Property.objects.get(pk=id)
    response["ETag"] = tag(found)
    return found


@api.get("/notes", response=NotesOut, auth=Bearer())
def list_notes(request: HttpRequest, limit: int = 20):
    return {"items": Note.objects.filter(owner=request.auth.pk)[:limit]}


@api.get("/users/me", response=UserOut, auth=Bearer())
def read_me(request: HttpRequest):
    return request.auth
