"""What `freehold settings` prints and `.env.example` holds."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, get_args, get_origin

from pydantic import SecretStr
from pydantic.fields import FieldInfo
from sqlalchemy.engine import make_url

from freehold.settings.base import ServiceSettings
from freehold.settings.broker import broker_without_password
from freehold.settings.login import issuers_without_secret, pair_without_secret
from freehold.settings.redis import RedisAddress
from freehold.settings.smtp import SmtpServer

MASK = "********"


@dataclass(frozen=True, slots=True)
class SettingRow:
    """One setting as it applies, without secrets. changed: does it differ from the default?"""

    name: str
    value: str
    default: str
    changed: bool
    description: str


def describe(settings: ServiceSettings) -> list[SettingRow]:
    """Every setting of an instance, in the order of declaration."""
    rows = []
    for field, info in type(settings).model_fields.items():
        value, default = (
            getattr(settings, field),
            info.get_default(call_default_factory=True, validated_data=_given(settings)),
        )
        changed = value != default
        rows.append(
            SettingRow(
                settings.variable(field), shown(field, value), shown(field, default), changed, info.description or ""
            )
        )
    return rows


def env_example(*classes: type[ServiceSettings]) -> str:
    """The text of `.env.example`: each setting with what it means and its default, commented out."""
    blocks = [
        "# Made from the settings by `freehold settings --example`; change those, not this file.",
        "# Copy to .env, which is read in development only. In production set the environment of the process.",
    ]
    seen: set[str] = set()
    for cls in classes:
        for field, info in cls.model_fields.items():
            if cls.variable(field) in seen:
                continue  # FREEHOLD_ENV belongs to every class
            seen.add(cls.variable(field))
            lines = [f"# {info.description}", *_choices(info)]
            blocks.append("\n".join([*lines, f"#{cls.variable(field)}={_example_default(field, info)}"]))
    return "\n\n".join(blocks) + "\n"


def _database(value: str) -> str:
    url = make_url(value)
    hidden = {name: MASK for name in url.query if "password" in name}
    return url.update_query_dict(hidden).render_as_string(hide_password=True)


def _mail_server(value: str) -> str:
    return SmtpServer.parse(value).without_password


def _redis(value: str) -> str:
    return RedisAddress.parse(value).without_password


_ADDRESSES: dict[str, Callable[[str], str]] = {
    "broker_url": broker_without_password,
    "database_url": _database,
    "login_github": pair_without_secret,
    "login_google": pair_without_secret,
    "login_oidc": issuers_without_secret,
    "redis_url": _redis,
    "smtp_url": _mail_server,
}


def shown(field: str, value: Any) -> str:
    """A value as text, without passwords."""
    if value is None:
        return ""
    if isinstance(value, SecretStr):
        return MASK
    if field in _ADDRESSES and value:
        return _ADDRESSES[field](value)
    if isinstance(value, tuple | list | frozenset):
        return ",".join(str(item) for item in value)
    if isinstance(value, bool):
        return "on" if value else "off"
    return str(value)


def _given(settings: ServiceSettings) -> dict[str, Any]:
    return {field: getattr(settings, field) for field in type(settings).model_fields}


def _choices(info: FieldInfo) -> list[str]:
    annotation = info.annotation
    if get_origin(annotation) is Literal:
        return ["# One of: " + ", ".join(str(choice) for choice in get_args(annotation))]
    return []


def _example_default(field: str, info: FieldInfo) -> str:
    extra = info.json_schema_extra
    if isinstance(extra, dict) and isinstance(by := extra.get("by_environment"), dict):
        return f"{shown(field, by['otherwise'])}        # {shown(field, by['production'])} in production"
    if info.default_factory is not None:
        return ""
    return shown(field, info.default)
