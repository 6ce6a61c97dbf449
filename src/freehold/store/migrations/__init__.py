"""The history of Freehold's own tables (version table `freehold_version`), written by `scripts/own_migration.py`."""
