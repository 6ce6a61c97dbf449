"""Titles: what can be borrowed."""
