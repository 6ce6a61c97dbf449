"""What `make cluster` and deploy/compose.yaml are made of: the shape, not the servers."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from deploy.cluster.layout import ROOT, Layout, NotPossible
from deploy.cluster.processes import Program
from deploy.cluster.proxy import TEMPLATE, configuration
from deploy.cluster.service import environment

from freehold.settings import Settings

COMPOSE = yaml.safe_load((ROOT / "deploy" / "compose.yaml").read_text())


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    return Layout(tmp_path, 18000, apis=4, workers=2)


def test_nginx_takes_the_configuration_and_leaves_out_who_is_replaced(layout: Layout) -> None:
    text = configuration(layout, TEMPLATE, without=2)
    assert "server 127.0.0.1:18001 max_fails=3 fail_timeout=2s;" in text
    assert "server 127.0.0.1:18002 max_fails=3 fail_timeout=2s down;" in text
    nginx = shutil.which("nginx", path="/usr/sbin:/usr/bin")
    if nginx is None:
        message = "nginx is not installed: apt-get install nginx"
        pytest.fail(message) if os.environ.get("FREEHOLD_REQUIRE_SERVICES") == "1" else pytest.skip(message)
    (layout.folder / "nginx.conf").write_text(text)
    judged = subprocess.run(
        [nginx, "-t", "-p", layout.folder, "-c", "nginx.conf"], capture_output=True, text=True, check=False
    )
    assert judged.returncode == 0, judged.stderr


def test_both_shapes_are_told_the_same_settings_and_all_of_them_exist(layout: Layout) -> None:
    told = {name for name in environment(layout) if name.startswith("FREEHOLD_")}
    in_docker = {name for name in COMPOSE["services"]["api"]["environment"] if name.startswith("FREEHOLD_")}
    assert told - {"FREEHOLD_VAR_DIR"} == in_docker
    assert {name.removeprefix("FREEHOLD_").lower() for name in told | in_docker} <= {*Settings.model_fields, "env"}


def test_a_process_is_found_again_and_another_with_its_number_is_not(tmp_path: Path) -> None:
    program = Program("sleeper", [sys.executable, "-c", "import time; time.sleep(60)"], tmp_path)
    program.start()
    pid = program.pid
    assert pid is not None
    assert Program("sleeper", [], tmp_path).pid == pid
    (tmp_path / "stranger.pid").write_text(f"{pid} 1")
    assert Program("stranger", [], tmp_path).pid is None
    assert program.stop() and not program.stop()
    with pytest.raises(NotPossible, match="sleeper does not run"):
        program.signal(signal.SIGHUP)


def test_a_number_that_is_none_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLUSTER_PORT", "many")
    with pytest.raises(NotPossible, match="CLUSTER_PORT=many"):
        Layout.from_environment()


def test_the_slip_of_the_proof_is_the_same_line_in_both_services() -> None:
    slip = "(await {}.scalars(select(Booking.note).where(Booking.note.contains(contains)))).all()"
    assert slip.format("session") in (ROOT / "proof" / "stock" / "app.py").read_text()
    assert slip.format("db") in (ROOT / "proof" / "freehold" / "app.py").read_text()
