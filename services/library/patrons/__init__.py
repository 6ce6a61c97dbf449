"""Patrons: cards, categories, blocks, and their choice of a reading history."""
