"""The declaration: resources, access rules, invariants, principals. Pure: no I/O, no FastAPI.

What most services say stands in `freehold` itself; here is what few need: `Geo` and `Ranges` of a search, and
`NAMING`, by which the constraints of a `MetaData` of one's own get their names.
"""

from freehold.resource.base import NAMING
from freehold.resource.declaration import Geo, Ranges

__all__ = ["NAMING", "Geo", "Ranges"]
