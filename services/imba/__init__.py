"""Imba: real estate with reservations and landlord verification."""
