"""The documented proxy agrees with the edge, and its page names every case that is tested."""

from __future__ import annotations

import re
from pathlib import Path

from freehold.settings import Settings
from freehold.web.edge_options import LOCAL_HOSTS, EdgeOptions

ROOT = Path(__file__).parents[2]
CONFIGURATION = (ROOT / "deploy" / "nginx.conf").read_text()
PAGE = (ROOT / "docs" / "how-to" / "proxy.md").read_text()


def _directive(name: str) -> str:
    found = re.findall(rf"^\s*{name}\s+([^;]+);", CONFIGURATION, re.MULTILINE)
    assert len(found) == 1, name
    return str(found[0])


def test_N07_the_proxys_sizes_are_the_edges() -> None:
    options = EdgeOptions()
    number, size = _directive("large_client_header_buffers").split()
    assert int(size.removesuffix("k")) * 1024 == options.line_limit_bytes
    assert int(number) * options.line_limit_bytes == options.header_limit_bytes
    assert _directive("client_max_body_size") == f"{options.body_limit_bytes // 1024**2}m"
    assert int(_directive("proxy_read_timeout").removesuffix("s")) > options.deadline_seconds


def test_R04_the_proxy_writes_the_forwarding_headers_itself() -> None:
    headers = dict(re.findall(r"proxy_set_header (\S+) (\S+);", CONFIGURATION))
    assert headers["X-Forwarded-For"] == "$remote_addr"
    assert headers["Forwarded"] == headers["X-Forwarded-Host"] == '""'
    assert "proxy_add_x_forwarded_for" not in CONFIGURATION


def test_X01_the_proxy_leaves_entity_tags_and_retries_alone() -> None:
    assert _directive("gzip") == "off"
    # Only what no server has taken is asked again; nginx keeps a POST or PATCH out of that (non_idempotent is not named).
    assert _directive("proxy_next_upstream") == "error"
    assert _directive("merge_slashes") == "off"


def test_N06_every_case_of_the_socket_tests_is_on_the_page() -> None:
    source = (ROOT / "tests" / "web" / "test_edge_sockets.py").read_text()
    table = source[source.index("REFUSED") : source.index("STAYS_OPEN")]
    cases = re.findall(r'^    "([^"]+)": \(', table, re.MULTILINE)
    assert len(cases) > 40
    assert [case for case in cases if case not in PAGE] == []


def _settings(**given: object) -> Settings:
    return Settings(**{"secret": "kJ3vN8xQ2mR7tY5wZ9bC4dF6gH1jL0pS", **given})  # type: ignore[arg-type]


def test_options_come_from_the_settings() -> None:
    options = EdgeOptions.from_settings(
        _settings(
            env="production",
            public_url="https://api.example.org",
            hosts="www.example.org,*.example.net",
            trusted_proxies="10.0.0.0/8,192.0.2.1",
            cors_origins="https://app.example.org",
            body_limit="2MiB",
            deadline_seconds=5,
        )
    )
    assert set(options.hosts) == {"api.example.org", "www.example.org", "*.example.net"}
    assert options.trusted_proxies == ("10.0.0.0/8", "192.0.2.1/32")
    assert options.cors_origins == ("https://app.example.org",)
    assert (options.body_limit_bytes, options.deadline_seconds) == (2 * 1024 * 1024, 5.0)
    assert not options.cors_credentials


def test_local_names_are_answered_outside_production_alone() -> None:
    assert set(LOCAL_HOSTS) <= set(EdgeOptions.from_settings(_settings(env="development")).hosts)
    production = EdgeOptions.from_settings(_settings(env="production", public_url="https://api.example.org"))
    assert production.hosts == ("api.example.org",)
