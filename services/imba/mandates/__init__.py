"""Agents: who manages a home for its landlord, by a mandate that both sides have agreed to."""
