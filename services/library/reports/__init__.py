"""Figures for those who run a library."""
