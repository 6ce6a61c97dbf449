"""What inputs of several features share."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from freehold import NotFound
from freehold.fields import Prose, not_blank

INPUT = ConfigDict(extra="forbid", strict=True)


def key_in_path(text: str) -> UUID:
    """The key of a row in a path of one's own. Raises NotFound for one that is not of its form: it names nothing."""
    try:
        return UUID(text)
    except ValueError:
        raise NotFound from None


class Reason(BaseModel):
    """Why it was decided so. The other side reads it."""

    model_config = INPUT

    reason: Annotated[Prose, Field(min_length=1, max_length=500), AfterValidator(not_blank)]
