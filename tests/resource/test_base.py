"""`Base`: a base with tables of its own has class names of its own."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from sqlalchemy import ForeignKey, MetaData
from sqlalchemy.orm import Mapped, configure_mappers, mapped_column, relationship

from freehold import Base


def _service() -> tuple[type[Any], type[Any]]:
    class Own(Base):
        __abstract__ = True
        metadata = MetaData()

    class Shelf(Own):
        name: Mapped[str]

    class Volume(Own):
        shelf_id: Mapped[UUID] = mapped_column(ForeignKey("shelfs.id"))
        shelf: Mapped[Any] = relationship("Shelf")

    return Shelf, Volume


def test_services_in_one_process_may_name_their_classes_alike() -> None:
    services = [_service(), _service()]
    configure_mappers()
    for shelf, volume in services:
        assert volume.__mapper__.relationships["shelf"].mapper.class_ is shelf
    assert services[0][0].registry is not services[1][0].registry
