"""What inputs of several features share."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

from pydantic import BaseModel, Field, ValidationInfo, field_validator
from pydantic_core import PydanticCustomError

from freehold import Invalid
from freehold.errors import FieldError
from freehold.fields import INPUT

Code = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_-]{0,39}$", examples=["adult"])]
"""What a library calls a category of patrons, or a type of items."""
Amount = Annotated[int, Field(ge=0, le=10**12, description="In minor units (cents)")]


class BookOrCopy(BaseModel):
    """What is asked for: a title or one copy of it, one of the two."""

    model_config = INPUT

    book_id: UUID | None = None
    copy_id: UUID | None = Field(None, validate_default=True)

    @field_validator("copy_id")
    @classmethod
    def _one_of_both(cls, copy_id: Any, others: ValidationInfo) -> Any:
        if (copy_id is None) == (others.data.get("book_id") is None):
            raise PydanticCustomError("one_of", "give book_id or copy_id, one of the two")
        return copy_id


def unknown(field: str) -> Invalid:
    """The refusal of an id that names no row."""
    fault = FieldError("unknown_reference", "There is no such row", pointer=f"/{field}")
    return Invalid("There is no such row.", errors=[fault])


def sent(changes: BaseModel) -> dict[str, Any]:
    """The fields of a change that were sent."""
    return {name: getattr(changes, name) for name in changes.model_fields_set}
