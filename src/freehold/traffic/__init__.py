"""What goes in and out: quotas of callers, and what may be fetched from outside (later also the response cache).

Belongs here: counting, deciding, asking others. Never here: answering, users, the database.
"""

from freehold.traffic.fetch import AddressRefused, Fetched, Fetcher, FetchFailed

__all__ = ["AddressRefused", "FetchFailed", "Fetched", "Fetcher"]
