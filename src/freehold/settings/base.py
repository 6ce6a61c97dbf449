"""What Freehold's settings and a service's own have in common.

A service declares its settings as a subclass with a prefix::

    class ImbaSettings(ServiceSettings, prefix="IMBA_"):
        require_verified_email: bool = by_environment(
            production=True, otherwise=False, description="May an account reserve before its e-mail is verified?"
        )
        hold_hours: int = Field(24, ge=1, description="After this a reservation that nobody confirmed lapses.")

    settings = ImbaSettings.load()        # IMBA_REQUIRE_VERIFIED_EMAIL, IMBA_HOLD_HOURS

`load` reads the environment; making an instance by hand (`ImbaSettings(hold_hours=1)`, as tests do) never does.
Another source (a folder of secrets, a vault) is added the way pydantic-settings has it: override
`settings_customise_sources`, which here keeps only the given values.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from typing import Any, ClassVar, Self

from pydantic import Field, ValidationError
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from freehold.errors import ConfigurationError
from freehold.settings.environ import faults_of, read, refuse_unknown


class Environment(StrEnum):
    """Where the process runs. It decides defaults and what is refused, nothing else."""

    DEVELOPMENT = "development"
    TEST = "test"
    PRODUCTION = "production"


def by_environment(*, production: Any, otherwise: Any, description: str, **constraints: Any) -> Any:
    """Make a field whose default depends on FREEHOLD_ENV. constraints: of `Field` (ge, le, …)."""

    def default(given: dict[str, Any]) -> Any:
        return production if given.get("env") is Environment.PRODUCTION else otherwise

    shown = {"production": production, "otherwise": otherwise}
    return Field(
        default_factory=default, description=description, json_schema_extra={"by_environment": shown}, **constraints
    )


class ServiceSettings(BaseSettings):
    """Settings under one prefix, frozen. See the module for how to declare them."""

    model_config = SettingsConfigDict(
        frozen=True, extra="forbid", validate_default=True, hide_input_in_errors=True, protected_namespaces=()
    )

    prefix: ClassVar[str] = ""
    # Names under the prefix that belong to others: exact, or an ending `*`.
    let_through: ClassVar[tuple[str, ...]] = ()

    env: Environment = Field(
        Environment.DEVELOPMENT,
        description="Decides defaults and what is refused: development, test or production.",
    )

    def __init_subclass__(cls, *, prefix: str = "", **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if prefix:
            cls.prefix = prefix
        if not cls.prefix.endswith("_") or cls.prefix != cls.prefix.upper():
            raise TypeError(f'{cls.__name__} needs a prefix such as "IMBA_": class {cls.__name__}(..., prefix="IMBA_")')

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Only what was given: reading the environment is the business of `load` alone."""
        return (init_settings,)

    @classmethod
    def variable(cls, field: str) -> str:
        """The name of the environment variable of a field. `env` is FREEHOLD_ENV for every class."""
        return "FREEHOLD_ENV" if field == "env" else f"{cls.prefix}{field}".upper()

    @classmethod
    def load(cls, environ: Mapping[str, str] | None = None, *, env_file: Path | None = None) -> Self:
        """Read and check everything, once, at the start.

        environ: instead of the process environment (then `.env` is not looked for unless named).
        env_file: read in development only, beneath the environment. Default: `.env` in the working directory.
        Raises ConfigurationError with every fault: the variable's name, what is wrong, the remedy; never a secret.
        """
        values = read(environ, env_file=env_file)
        by_name = {cls.variable(field): field for field in cls.model_fields}
        refuse_unknown(values, prefix=cls.prefix, known=by_name.keys(), let_through=cls.let_through)
        given = {field: values[name] for name, field in by_name.items() if values.get(name, "") != ""}
        try:
            return cls(**cls.complete(given, values))
        except ValidationError as error:
            # `from None`: the original prints what was given.
            raise ConfigurationError(faults_of(error, cls.variable)) from None

    @classmethod
    def complete(cls, given: dict[str, Any], environ: Mapping[str, str]) -> dict[str, Any]:
        """Change or add to what was read before it is checked; a place for what needs the file system."""
        return given
