"""Files that an application adds by itself: imports, samples, what it has made."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from freehold.errors import Invalid
from freehold.media.intake import Intake, judge, store
from freehold.media.library import Library
from freehold.media.registration import register
from freehold.resource.base import new_id
from freehold.store.session import Session


async def add(db: Session, content: bytes, *, owner_id: UUID, purpose: str, filename: str, **fields: Any) -> Any:
    """Keep a file for an owner, judged like one that came in; the row. Its variants follow by a job.

    fields: the others of the form. Without `access.create` and `attach`, which judge callers. The object is in the
    store before the commit: the sweep removes it where that does not come.
    Raises TypeRefused, TooLarge, QuotaReached, Invalid for a purpose that is not declared, pydantic.ValidationError.
    """
    library = db.part(Library)
    found = library.media.purpose(purpose)
    if found is None:
        raise Invalid(f"There is no purpose {purpose!r}.")
    form, medium_id = library.media.form(purpose=purpose, **fields), new_id()
    async with Intake(library.folder, limit_bytes=found.max_bytes) as intake:
        await intake.write(content)
        await intake.close()
        judged = await judge(library, intake, found, filename=filename, declared=None)
        await store(library, intake, medium_id, content_type=judged.format.content_type)
    return await register(
        db, library, medium_id=medium_id, owner_id=owner_id, form=form, purpose=found, intake=intake, judged=judged,
        filename=filename,
    )  # fmt: skip
