"""The base of these tables, apart from those of other services: several may live in one process, as in the tests."""

from __future__ import annotations

from sqlalchemy import MetaData

from freehold import Base as FreeholdBase


class Base(FreeholdBase):
    """See `freehold.Base`. Tables and class names are looked up among these models alone."""

    __abstract__ = True
    metadata = MetaData(naming_convention=FreeholdBase.metadata.naming_convention)
