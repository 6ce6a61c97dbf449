"""Settings: read once, and a wrong one stops the start with its name and the remedy (F14, F15, A15)."""

from __future__ import annotations

import os
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from pydantic import Field

from freehold.errors import ConfigurationError
from freehold.settings import Environment, ServiceSettings, Settings, by_environment, describe, env_example
from freehold.settings.redis import RedisAddress
from freehold.settings.secret import development_secret

GOOD_SECRET = "q8Zr2LxVtB0mWc5KyNfJ7uGdHsTe9PaX4iQo"
CANARY = "canary-in-the-settings"
PRODUCTION = {
    "FREEHOLD_ENV": "production",
    "FREEHOLD_SECRET": GOOD_SECRET,
    "FREEHOLD_PUBLIC_URL": "https://api.example.com",
}


@pytest.fixture
def var(tmp_path: Path) -> dict[str, str]:
    return {"FREEHOLD_VAR_DIR": str(tmp_path / "var")}


def refusal(environ: dict[str, str]) -> str:
    with pytest.raises(ConfigurationError) as caught:
        Settings.load(environ)
    assert caught.value.__cause__ is None  # a cause would be printed with what was given
    return str(caught.value)


def test_nothing_set_is_a_whole_development_setting(var: dict[str, str], tmp_path: Path) -> None:
    settings = Settings.load(var)
    assert settings.env is Environment.DEVELOPMENT
    assert settings.database_url == f"sqlite+aiosqlite:///{tmp_path}/var/freehold.db"
    assert settings.limit_factor == 1
    assert settings.docs_enabled
    assert settings.metrics_enabled
    assert not settings.json_logs


def test_production_closes_what_development_opens(var: dict[str, str]) -> None:
    settings = Settings.load(var | PRODUCTION)
    assert not settings.docs_enabled
    assert not settings.metrics_enabled
    assert settings.json_logs
    opened = Settings.load(var | PRODUCTION | {"FREEHOLD_DOCS": "on", "FREEHOLD_METRICS": "on"})
    assert opened.docs_enabled
    assert opened.metrics_enabled


def test_settings_cannot_be_changed(var: dict[str, str]) -> None:
    settings = Settings.load(var)
    with pytest.raises(ValueError, match="frozen"):
        settings.workers = 2


def test_made_by_hand_the_environment_does_not_count(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WORKERS", "7")
    monkeypatch.setenv("FREEHOLD_WORKERS", "7")
    assert Settings(secret=GOOD_SECRET).workers == 1


def test_an_empty_variable_is_not_set(var: dict[str, str]) -> None:
    assert Settings.load(var | {"FREEHOLD_WORKERS": "", "FREEHOLD_REDIS_URL": ""}).workers == 1


@pytest.mark.parametrize(
    ("given", "held"),
    [
        ("postgresql://u:p%40ss@db/app", "postgresql+asyncpg://u:p%40ss@db/app"),
        ("postgres://u@db/app?sslmode=require", "postgresql+asyncpg://u@db/app?ssl=require"),
        ("postgresql+asyncpg://u@db:6432/app", "postgresql+asyncpg://u@db:6432/app"),
        ("sqlite:////data/app.db", "sqlite+aiosqlite:////data/app.db"),
        ("sqlite:///app.db", "sqlite+aiosqlite:///app.db"),
    ],
)
def test_a_database_address_names_its_driver(var: dict[str, str], given: str, held: str) -> None:
    assert Settings.load(var | {"FREEHOLD_DATABASE_URL": given}).database_url == held


def test_lists_are_split_at_commas(var: dict[str, str]) -> None:
    settings = Settings.load(
        var
        | {
            "FREEHOLD_HOSTS": "API.example.com, *.example.org,[::1]",
            "FREEHOLD_CORS_ORIGINS": "https://app.example.com,http://localhost:5173",
            "FREEHOLD_TRUSTED_PROXIES": "10.0.0.0/8, 192.0.2.7, fd00::/8, unix",
        }
    )
    assert settings.hosts == ("api.example.com", "*.example.org", "[::1]")
    assert settings.cors_origins == ("https://app.example.com", "http://localhost:5173")
    assert settings.trusted_proxies == ("10.0.0.0/8", "192.0.2.7/32", "fd00::/8", "unix")


@pytest.mark.parametrize(("given", "factor"), [("on", 1), ("OFF", None), ("x5", 5), ("X250", 250)])
def test_limits_can_be_scaled_or_off_elsewhere_than_in_production(
    var: dict[str, str], given: str, factor: int | None
) -> None:
    assert Settings.load(var | {"FREEHOLD_LIMITS": given}).limit_factor == factor


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("FREEHOLD_ENV", "prod", "'development', 'test' or 'production'"),
        ("FREEHOLD_WORKERS", "two", "valid integer"),
        ("FREEHOLD_WORKERS", "0", "greater than or equal to 1"),
        ("FREEHOLD_DEBUG", "maybe", "valid boolean"),
        ("FREEHOLD_LIMITS", "x0", "on, off or x<N>"),
        ("FREEHOLD_LOG_LEVEL", "loud", "'debug', 'info'"),
        ("FREEHOLD_DATABASE_URL", "mysql://u@db/app", "sqlite:///path or postgresql://"),
        ("FREEHOLD_DATABASE_URL", "not an address", "sqlite:///path or postgresql://"),
        ("FREEHOLD_PUBLIC_URL", "api.example.com", "https://api.example.com"),
        ("FREEHOLD_HOSTS", "https://api.example.com", "without scheme and port"),
        ("FREEHOLD_CORS_ORIGINS", "https://app.example.com/", "without a path"),
        ("FREEHOLD_CORS_ORIGINS", "null", "https://app.example.com"),
        ("FREEHOLD_TRUSTED_PROXIES", "10.0.0.1/8", "host bits"),
        ("FREEHOLD_BODY_LIMIT", "much", "byte"),
        ("FREEHOLD_DEADLINE_SECONDS", "nan", "finite"),
    ],
)
def test_F14_a_value_that_does_not_fit_stops_the_start_with_its_name(
    var: dict[str, str], name: str, value: str, says: str
) -> None:
    message = refusal(var | {name: value})
    assert message.startswith(f"{name}: ")
    assert says in message
    assert len(message.splitlines()) == 1


def test_F14_all_faults_are_told_at_once(var: dict[str, str]) -> None:
    message = refusal(var | {"FREEHOLD_WORKERS": "two", "FREEHOLD_LOG_LEVEL": "loud"})
    assert [line.partition(":")[0] for line in message.splitlines()] == ["FREEHOLD_WORKERS", "FREEHOLD_LOG_LEVEL"]


@pytest.mark.parametrize(
    ("name", "remedy"),
    [
        ("FREEHOLD_DATABSE_URL", "Did you mean FREEHOLD_DATABASE_URL?"),
        ("FREEHOLD_WORKER", "Did you mean FREEHOLD_WORKERS?"),
        ("freehold_debug", "Did you mean FREEHOLD_DEBUG?"),
        ("FREEHOLD_XYZZY", "`freehold settings` lists those there are"),
    ],
)
def test_F14_an_unknown_name_stops_the_start_and_names_the_nearest(var: dict[str, str], name: str, remedy: str) -> None:
    message = refusal(var | {name: "1"})
    assert message.startswith(f"{name} is not a setting.")
    assert remedy in message


@pytest.mark.parametrize("value", [f"ftp://user:{CANARY}@host", "s3://", "uploads"])
def test_F14_a_file_store_that_is_not_spoken_stops_the_start(var: dict[str, str], value: str) -> None:
    message = refusal(var | {"FREEHOLD_FILES_URL": value})
    assert message.startswith("FREEHOLD_FILES_URL")
    assert "s3://bucket/prefix" in message
    assert CANARY not in message


@pytest.mark.parametrize("value", [f"smtp://user:{CANARY}@host?starttls=off", f"imap://user:{CANARY}@host"])
def test_F14_a_mail_server_that_cannot_be_is_refused_and_its_password_never_shown(
    var: dict[str, str], value: str
) -> None:
    message = refusal(var | {"FREEHOLD_SMTP_URL": value})
    assert message.startswith("FREEHOLD_SMTP_URL")
    assert CANARY not in message
    settings = Settings.load(var | {"FREEHOLD_SMTP_URL": f"smtps://user:{CANARY}@mail.example.com"})
    assert CANARY not in repr(settings) + "".join(row.value for row in describe(settings))


def test_names_of_the_test_tooling_are_let_through(var: dict[str, str]) -> None:
    Settings.load(var | {"FREEHOLD_REQUIRE_SERVICES": "1", "FREEHOLD_TEST_POSTGRES": "postgresql://x/y"})


@pytest.mark.parametrize(
    "value", [f"kafka://user:{CANARY}@host", f"nats://{CANARY}@", f"amqp://u:{CANARY}@h:x", "unix://"]
)
def test_F14_an_address_of_a_broker_that_is_none_stops_the_start(var: dict[str, str], value: str) -> None:
    message = refusal(var | {"FREEHOLD_BROKER_URL": value})
    assert message.startswith("FREEHOLD_BROKER_URL: ")
    assert CANARY not in message


def test_the_password_of_a_broker_is_never_shown(var: dict[str, str]) -> None:
    for url in (f"nats://{CANARY}@host:4222", f"amqp://user:{CANARY}@host/vhost", f"redis://:{CANARY}@host"):
        settings = Settings.load(var | {"FREEHOLD_BROKER_URL": url})
        assert CANARY not in repr(settings) + "".join(row.value for row in describe(settings))


def test_F15_jobs_apart_from_a_service_on_one_file_are_refused(var: dict[str, str]) -> None:
    assert "FREEHOLD_JOBS=apart with SQLite" in refusal(var | {"FREEHOLD_JOBS": "apart"})


REDIS = [
    f"http://user:{CANARY}@host",
    f"redis://user:{CANARY}@",
    f"redis://user:{CANARY}@host/x",
    f"redis://:{CANARY}@h:x",
]


@pytest.mark.parametrize("value", [*REDIS, f"redis://:{CANARY}@host?ssl=1", "unix://", "redis://host/0?db=-1"])
def test_F14_an_address_of_redis_that_is_none_stops_the_start(var: dict[str, str], value: str) -> None:
    message = refusal(var | {"FREEHOLD_REDIS_URL": value})
    assert message.startswith("FREEHOLD_REDIS_URL")
    assert CANARY not in message


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (f"redis://user:{CANARY}@cache.example.com", "redis://user:********@cache.example.com:6379/0"),
        (f"rediss://:{CANARY}@[::1]:6380/3", "rediss://:********@[::1]:6380/3"),
        (f"unix://:{CANARY}@/run/redis.sock?db=2", "unix://:********@/run/redis.sock?db=2"),
    ],
)
def test_F14_the_address_of_redis_is_shown_without_its_password(var: dict[str, str], value: str, shown: str) -> None:
    settings = Settings.load(var | {"FREEHOLD_REDIS_URL": value})
    assert CANARY not in repr(settings)
    assert [row.value for row in describe(settings) if row.name == "FREEHOLD_REDIS_URL"] == [shown]
    assert RedisAddress.parse(value).password == CANARY


@pytest.mark.parametrize(
    ("change", "name"),
    [
        ({"FREEHOLD_DEBUG": "1"}, "FREEHOLD_DEBUG"),
        ({"FREEHOLD_LIMITS": "off"}, "FREEHOLD_LIMITS"),
        ({"FREEHOLD_LIMITS": "x2"}, "FREEHOLD_LIMITS"),
        ({"FREEHOLD_PUBLIC_URL": "http://api.example.com"}, "FREEHOLD_PUBLIC_URL"),
        ({"FREEHOLD_PUBLIC_URL": ""}, "FREEHOLD_PUBLIC_URL"),
        ({"FREEHOLD_HOSTS": "api.example.com,*"}, "FREEHOLD_HOSTS"),
        ({"FREEHOLD_ALLOWED_RECEIVERS": "127.0.0.1:9000"}, "FREEHOLD_ALLOWED_RECEIVERS"),
        ({"FREEHOLD_CORS_ORIGINS": "*"}, "FREEHOLD_CORS_ORIGINS"),
        ({"FREEHOLD_TRUSTED_PROXIES": "0.0.0.0/0"}, "FREEHOLD_TRUSTED_PROXIES"),
    ],
)
def test_F14_production_refuses_what_development_allows(var: dict[str, str], change: dict[str, str], name: str) -> None:
    message = refusal(var | PRODUCTION | change)
    assert message.startswith(name)
    assert len(message.splitlines()) == 1
    Settings.load(var | change | {"FREEHOLD_ENV": "development"})


def test_F14_a_wildcard_beside_listed_origins_is_refused_everywhere(var: dict[str, str]) -> None:
    assert refusal(var | {"FREEHOLD_CORS_ORIGINS": "*,https://app.example.com"}).startswith("FREEHOLD_CORS_ORIGINS")
    assert Settings.load(var | {"FREEHOLD_CORS_ORIGINS": "*"}).cors_origins == ("*",)


@pytest.mark.parametrize(
    "secret",
    ["", "xyz-12", "q8Zr2LxVtB0mWc5KyNfJ7uGdHsTe9Pa", "a" * 64, "please-CHANGEME-please-CHANGEME-1234", "ab" * 20],
)
def test_A15_production_needs_a_secret_that_is_long_and_not_a_placeholder(var: dict[str, str], secret: str) -> None:
    message = refusal(var | PRODUCTION | {"FREEHOLD_SECRET": secret})
    assert message.startswith("FREEHOLD_SECRET ")
    assert "secrets.token_urlsafe" in message
    assert not secret or secret not in message


def test_A15_production_does_not_take_the_secret_of_the_var_folder(var: dict[str, str]) -> None:
    Settings.load(var)
    assert "FREEHOLD_SECRET is missing" in refusal(var | PRODUCTION | {"FREEHOLD_SECRET": ""})


def test_F14_no_secret_is_ever_printed(var: dict[str, str]) -> None:
    environ = var | {
        "FREEHOLD_SECRET": f"{CANARY}-0123456789-abcdefghij",
        "FREEHOLD_DATABASE_URL": f"postgresql://u:{CANARY}@db/app?passwordish={CANARY}",
    }
    settings = Settings.load(environ)
    printed = f"{settings!r} {settings} {describe(settings)}"
    assert CANARY not in printed
    assert "********" in printed
    assert CANARY in settings.secret_value
    assert CANARY not in refusal(environ | {"FREEHOLD_WORKERS": "two"})
    assert CANARY not in refusal(environ | PRODUCTION | {"FREEHOLD_SECRET": CANARY})
    assert CANARY not in refusal(var | {"FREEHOLD_DATABASE_URL": f"mysql://u:{CANARY}@db/app"})


def test_F15_more_workers_than_one_need_postgresql_or_redis(var: dict[str, str]) -> None:
    message = refusal(var | {"FREEHOLD_WORKERS": "2"})
    assert message.startswith("FREEHOLD_WORKERS=2 with SQLite")
    assert Settings.load(var | {"FREEHOLD_WORKERS": "2", "FREEHOLD_REDIS_URL": "redis://cache"}).workers == 2
    assert Settings.load(var | {"FREEHOLD_WORKERS": "2", "FREEHOLD_DATABASE_URL": "postgresql://u@db/app"}).workers == 2


class TestDevelopmentSecret:
    def test_it_is_made_once_and_readable_by_its_owner_alone(self, var: dict[str, str], tmp_path: Path) -> None:
        first, second = Settings.load(var), Settings.load(var)
        assert first.secret_value == second.secret_value
        assert len(first.secret_value) >= 32
        assert stat.S_IMODE((tmp_path / "var" / "secret").stat().st_mode) == 0o600
        assert [path.name for path in (tmp_path / "var").iterdir()] == ["secret"]

    def test_a_file_that_others_can_read_is_closed(self, tmp_path: Path) -> None:
        (tmp_path / "secret").write_text(GOOD_SECRET)
        (tmp_path / "secret").chmod(0o644)
        assert development_secret(tmp_path) == GOOD_SECRET
        assert stat.S_IMODE((tmp_path / "secret").stat().st_mode) == 0o600

    def test_those_who_start_together_agree(self, tmp_path: Path) -> None:
        for attempt in range(20):
            folder = tmp_path / str(attempt)
            with ThreadPoolExecutor(8) as pool:
                assert len(set(pool.map(development_secret, [folder] * 8))) == 1

    def test_a_folder_that_cannot_be_written_is_named(self, tmp_path: Path) -> None:
        (tmp_path / "var").write_text("a file, not a folder")
        message = refusal({"FREEHOLD_VAR_DIR": str(tmp_path / "var")})
        assert message.startswith("FREEHOLD_VAR_DIR: ")
        assert "set FREEHOLD_SECRET" in message

    def test_an_empty_file_is_not_a_secret(self, tmp_path: Path) -> None:
        (tmp_path / "secret").touch()
        with pytest.raises(ConfigurationError, match="is empty"):
            development_secret(tmp_path)


class TestEnvFile:
    @pytest.fixture(autouse=True)
    def _elsewhere(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.chdir(tmp_path)
        for name in list(os.environ):
            if name.startswith("FREEHOLD_"):
                monkeypatch.delenv(name)

    def test_it_is_read_in_development_beneath_the_environment(self, monkeypatch: pytest.MonkeyPatch) -> None:
        Path(".env").write_text("FREEHOLD_LIMITS=x3\nFREEHOLD_LOG_LEVEL=debug\nPORT=9\n")
        monkeypatch.setenv("FREEHOLD_LOG_LEVEL", "error")
        settings = Settings.load()
        assert (settings.limits, settings.log_level) == ("x3", "error")

    def test_it_is_not_read_in_production(self, monkeypatch: pytest.MonkeyPatch) -> None:
        Path(".env").write_text("FREEHOLD_DOCS=on\nFREEHOLD_NONSENSE=1\n")
        for name, value in PRODUCTION.items():
            monkeypatch.setenv(name, value)
        assert not Settings.load().docs_enabled

    def test_an_unknown_name_in_it_stops_the_start(self) -> None:
        Path(".env").write_text("FREEHOLD_NONSENSE=1\n")
        with pytest.raises(ConfigurationError, match="FREEHOLD_NONSENSE is not a setting"):
            Settings.load()

    def test_production_cannot_be_switched_on_by_it(self) -> None:
        Path(".env").write_text("FREEHOLD_ENV=production\n")
        with pytest.raises(ConfigurationError, match="read in development only"):
            Settings.load()

    def test_it_is_not_looked_for_when_an_environment_is_given(self, var: dict[str, str]) -> None:
        Path(".env").write_text("FREEHOLD_LIMITS=x3\n")
        assert Settings.load(var).limits == "on"
        assert Settings.load(var, env_file=Path(".env")).limits == "x3"


class BakerySettings(ServiceSettings, prefix="BAKERY_"):
    strict: bool = by_environment(production=True, otherwise=False, description="Are the rules strict?")
    ovens: int = Field(2, ge=1, description="How many ovens there are.")


class TestServiceSettings:
    def test_a_default_may_depend_on_the_environment(self) -> None:
        assert not BakerySettings.load({}).strict
        assert BakerySettings.load({"FREEHOLD_ENV": "production"}).strict
        assert not BakerySettings.load({"FREEHOLD_ENV": "production", "BAKERY_STRICT": "off"}).strict
        assert BakerySettings(env=Environment.PRODUCTION).strict

    def test_F14_faults_are_told_as_for_freeholds_own(self) -> None:
        with pytest.raises(ConfigurationError, match="BAKERY_OVENS: Input should be greater than"):
            BakerySettings.load({"BAKERY_OVENS": "0"})
        with pytest.raises(ConfigurationError, match="BAKERY_OVEN is not a setting"):
            BakerySettings.load({"BAKERY_OVEN": "1"})

    def test_other_prefixes_are_not_its_business(self) -> None:
        assert BakerySettings.load({"FREEHOLD_NONSENSE": "1", "BAKERY_OVENS": "3"}).ovens == 3

    def test_a_class_without_a_prefix_is_refused(self) -> None:
        with pytest.raises(TypeError, match="needs a prefix"):
            type("Nameless", (ServiceSettings,), {})

    def test_rows_and_example_hold_both_defaults(self) -> None:
        rows = {row.name: row for row in describe(BakerySettings.load({"BAKERY_OVENS": "3"}))}
        assert (rows["BAKERY_OVENS"].value, rows["BAKERY_OVENS"].default, rows["BAKERY_OVENS"].changed) == (
            "3",
            "2",
            True,
        )
        assert not rows["BAKERY_STRICT"].changed
        text = env_example(BakerySettings)
        assert "# Are the rules strict?\n#BAKERY_STRICT=off" in text
        assert "on in production" in text


def test_every_setting_says_what_it_does() -> None:
    assert [field for field, info in Settings.model_fields.items() if not info.description] == []


def test_an_example_with_every_line_in_force_is_a_valid_setting(tmp_path: Path) -> None:
    text = env_example(Settings)
    lines = [line.removeprefix("#") for line in text.splitlines() if line.startswith("#FREEHOLD_")]
    assert len(lines) == len(Settings.model_fields)
    (tmp_path / "env").write_text("\n".join(lines))
    Settings.load({"FREEHOLD_VAR_DIR": str(tmp_path)}, env_file=tmp_path / "env")
