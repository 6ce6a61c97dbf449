"""What goes in and out: quotas of callers, kept answers, and what may be fetched from outside.

Belongs here: counting, deciding, keeping, asking others. Never here: answering, users, SQL.
"""

from freehold.resource.caching import Cache
from freehold.resource.quotas import Limits, Quota, per_day, per_hour, per_minute
from freehold.traffic.fetch import AddressRefused, Fetched, Fetcher, FetchFailed
from freehold.traffic.tags import forget

__all__ = [
    "AddressRefused",
    "Cache",
    "FetchFailed",
    "Fetched",
    "Fetcher",
    "Limits",
    "Quota",
    "forget",
    "per_day",
    "per_hour",
    "per_minute",
]
