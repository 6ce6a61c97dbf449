"""A landlord's figures."""
