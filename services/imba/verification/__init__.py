"""Checks of landlords and of their properties by a reviewer."""
