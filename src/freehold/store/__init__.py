"""Plans and rules become SQL; engines, the unit of work and the ledger live here.

This is the only package that touches driver connections. It never knows HTTP.
"""

from freehold.store.audit import AUDIT
from freehold.store.database import Database
from freehold.store.forgetting import forget_history
from freehold.store.idempotency import IDEMPOTENCY
from freehold.store.lists import Lists
from freehold.store.outbox import OUTBOX, Event, emit
from freehold.store.rule_clause import public_fact
from freehold.store.session import Session
from freehold.store.tally import Tally
from freehold.store.unit import Unit

__all__ = [
    "AUDIT",
    "IDEMPOTENCY",
    "OUTBOX",
    "Database",
    "Event",
    "Lists",
    "Session",
    "Tally",
    "Unit",
    "emit",
    "forget_history",
    "public_fact",
]
