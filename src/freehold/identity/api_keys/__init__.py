"""API keys: what a program shows instead of a log-in.

Belongs here: how a key looks, its row, who is behind it. Never here: HTTP (`freehold.web.identity_api_keys`).
"""

from freehold.identity.api_keys.keys import ApiKeys, KeyDraft, KeyLifetimes, NewKey
from freehold.identity.api_keys.reading import ApiKeyReader
from freehold.identity.api_keys.tables import API_KEYS

__all__ = ["API_KEYS", "ApiKeyReader", "ApiKeys", "KeyDraft", "KeyLifetimes", "NewKey"]
