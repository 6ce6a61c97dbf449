"""What goes in and out: quotas of callers, and what may be fetched from outside (later also the response cache).

Belongs here: counting, deciding, asking others. Never here: answering, users, the database.
"""
