"""The MetaData of Freehold's own tables: what a request owes, answered and did.

Each capability defines its tables on it in a module of its own. They are not resources: no access rule, no endpoint.
"""

from __future__ import annotations

from sqlalchemy import MetaData

from freehold.resource.base import NAMING

LEDGER = MetaData(naming_convention=NAMING)
