"""Typed settings: read once, checked at the start, passed down. Nothing else in Freehold reads the environment."""

from freehold.settings.base import Environment, ServiceSettings, by_environment
from freehold.settings.describe import SettingRow, describe, env_example
from freehold.settings.model import Settings

__all__ = ["Environment", "ServiceSettings", "SettingRow", "Settings", "by_environment", "describe", "env_example"]
