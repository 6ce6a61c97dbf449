"""Files, as clients reach them: what is taken, and who sees it."""

from __future__ import annotations

from freehold import Access, owner, role, where
from freehold.media import DOCUMENTS, PICTURES, VIDEOS, Media, Purpose

from ..access import MANAGING, STAFF
from ..properties import crud as properties
from . import crud
from .models import Medium
from .schemas import MediumForm, MediumRead

MIB = 1024 * 1024
OWNER = owner("owner_id")
ON_SHOW = where((Medium.purpose != "document") & properties.on_market(Medium.property_id))

media = Media(
    Medium,
    purposes=[
        Purpose("photo", types=PICTURES, variants=True, max_bytes=25 * MIB, max_count=60),
        Purpose("video", types=VIDEOS, max_bytes=500 * MIB, max_count=5),
        Purpose("document", types=DOCUMENTS, private=True, max_bytes=25 * MIB),
    ],
    access=Access(
        read=ON_SHOW | OWNER | STAFF,
        create=MANAGING,
        update=OWNER | role("admin"),
        delete=OWNER | role("admin"),
    ),
    form=MediumForm,
    read=MediumRead,
    attach=crud.attach,
    gallery="property_id",
    on_cover=properties.show_cover,
    kept_for=STAFF,
)
