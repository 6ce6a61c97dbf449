"""Stays: held, confirmed, rejected, cancelled, lapsed."""
