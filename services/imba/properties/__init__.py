"""Listings, from draft to publication."""
