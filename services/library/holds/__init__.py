"""Holds: who is next."""
