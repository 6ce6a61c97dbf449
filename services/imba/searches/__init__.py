"""Saved searches, and mails about what is new in them."""
