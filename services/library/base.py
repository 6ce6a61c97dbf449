"""The base of Library's tables: a metadata of its own, so that it can live beside other services in one process."""

from __future__ import annotations

from sqlalchemy import MetaData

from freehold import Base as FreeholdBase


class Base(FreeholdBase):
    """See `freehold.Base`."""

    __abstract__ = True
    metadata = MetaData(naming_convention=FreeholdBase.metadata.naming_convention)
