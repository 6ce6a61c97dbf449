from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from freehold.fields import Line, Prose


class NoteDraft(BaseModel):
    model_config = ConfigDict(extra="forbid")

    title: Annotated[Line, Field(min_length=1, max_length=120)]
    text: Annotated[Prose, Field(max_length=5000)] = ""
