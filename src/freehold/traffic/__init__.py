"""How much a caller may ask for: quotas (later also the response cache).

Belongs here: counting and deciding. Never here: HTTP, users, the database.
"""
