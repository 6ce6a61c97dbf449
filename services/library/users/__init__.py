"""Accounts of patrons and librarians."""
