from typing import Any

from pydantic import PostgresDsn, RedisDsn, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from src.constants import Environment


class CustomBaseSettings(BaseSettings):
    model_config = SettingsConfigDict(env_file=".env", env_file_encoding="utf-8", extra="ignore")


class Config(CustomBaseSettings):
    DATABASE_URL: PostgresDsn = PostgresDsn("postgresql+asyncpg://app@localhost/app")
    DATABASE_POOL_SIZE: int = 16
    REDIS_URL: RedisDsn = RedisDsn("redis://localhost")

    SITE_DOMAIN: str = "myapp.com"
    ENVIRONMENT: Environment = Environment.PRODUCTION
    SENTRY_DSN: str | None = None
    CORS_ORIGINS: list[str] = ["https://myapp.com"]
    CORS_ORIGINS_REGEX: str | None = None
    APP_VERSION: str = "1.0"

    @model_validator(mode="after")
    def validate_sentry_non_local(self) -> "Config":
        if self.ENVIRONMENT.is_deployed and self.SENTRY_DSN == "":
            raise ValueError("Sentry is not set")
        return self


settings = Config()

app_configs: dict[str, Any] = {"title": "App API"}
if not settings.ENVIRONMENT.is_debug:
    app_configs["openapi_url"] = None  # hide docs
