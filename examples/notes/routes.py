from freehold import Access, Queries, Resource, Schemas, owner, role, signed_in

from . import crud
from .models import Note
from .schemas import NoteDraft

mine = owner("owner_id")
notes = Resource(
    Note,
    schemas=Schemas(create=NoteDraft),
    access=Access(read=mine | role("admin"), create=signed_in, update=mine, delete=mine),
    queries=Queries(filters=["is_done", "title__contains", "created_at__gte"], sort=["-created_at", "title"]),
)
notes.action("completion", crud.finish, access=mine)
