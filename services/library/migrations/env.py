"""Alembic runs this; `freehold migrate` runs Alembic."""

from freehold.store.migration_env import run

run()
