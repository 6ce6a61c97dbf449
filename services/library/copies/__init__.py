"""Copies: the things themselves, and what happens to them."""
