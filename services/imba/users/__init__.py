"""Accounts of tenants, landlords and staff."""
