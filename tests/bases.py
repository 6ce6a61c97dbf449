"""A base of its own for the models of one test module, so that no test creates another one's tables."""

from __future__ import annotations

from sqlalchemy import MetaData

from freehold import Base as FreeholdBase
from freehold.resource.base import NAMING


class AttackBase(FreeholdBase):
    __abstract__ = True
    metadata = MetaData(naming_convention=NAMING)


class SchemaBase(FreeholdBase):
    __abstract__ = True
    metadata = MetaData(naming_convention=NAMING)


class AccountBase(FreeholdBase):
    __abstract__ = True
    metadata = MetaData(naming_convention=NAMING)
