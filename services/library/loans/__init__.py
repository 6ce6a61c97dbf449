"""Loans: borrowing, renewing, returning."""
