"""Who may use an account: the rules of every route and page with which people care for their own."""

from __future__ import annotations

from freehold.resource.access import recent, scope, signed_in

ACCOUNT = signed_in & scope("account")
# What protects the account, outlives a log-in or cannot be undone needs a log-in of the last five minutes (A10): a stolen
# access token must not be enough.
FRESH_ACCOUNT = ACCOUNT & recent(minutes=5)


__all__ = ["ACCOUNT", "FRESH_ACCOUNT"]
