from uuid import UUID

from sqlalchemy import String
from sqlalchemy.orm import Mapped, mapped_column

from freehold import Base
from freehold.fields import folded


class Note(Base):
    owner_id: Mapped[UUID] = mapped_column(index=True)
    title: Mapped[str] = mapped_column(String(120))
    title_key: Mapped[str] = folded("title", index=True)
    text: Mapped[str] = mapped_column(String(5000), default="")
    is_done: Mapped[bool] = mapped_column(default=False)
