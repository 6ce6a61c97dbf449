"""Listings that a person has put aside."""
