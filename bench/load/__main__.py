"""`python -m bench.load`: serve a service with its demo, write its load file, and let Locust ask.

What Locust counted is in `var/load/`, also as a page (`report.html`). Ends with 1 where requests failed.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2] / "scripts"))
from freehold.testing.serving import served
from registry import uv_environment

ROOT = Path(__file__).parents[2]
WANTED = Path(__file__).with_name("requirements.txt")
HOME = ROOT / "var" / "bench" / "locust"
FOLDER = ROOT / "var" / "load"


def main() -> int:
    """Serve, ask, count."""
    parser = argparse.ArgumentParser(prog="python -m bench.load", description=__doc__)
    parser.add_argument("--service", default="imba")
    parser.add_argument("--users", default="20", help="people at once")
    parser.add_argument("--seconds", default="30")
    asked = parser.parse_args()
    locust, target = _locust(), f"services.{asked.service}.app:app"
    FOLDER.mkdir(parents=True, exist_ok=True)
    file = FOLDER / "locustfile.py"
    with tempfile.TemporaryDirectory() as folder:
        variables = {"FREEHOLD_LIMITS": "x1000", "FREEHOLD_LOG_LEVEL": "warning"}
        with served(target, cwd=ROOT, folder=Path(folder), demo="1", env=variables) as address:
            written = {**os.environ, **variables, "FREEHOLD_VAR_DIR": f"{folder}/var"}
            command = [sys.executable, "-m", "freehold.cli", "load-file", target, "-o", str(file)]
            subprocess.run(command, cwd=ROOT, env=written, check=True)
            told = ["--headless", "--only-summary", "--csv", "load", "--html", "report.html"]
            size = ["--users", asked.users, "--spawn-rate", asked.users, "--run-time", f"{asked.seconds}s"]
            asking = [locust, "-f", str(file), "--host", address, *told, *size]
            return subprocess.run(
                asking, cwd=FOLDER, env={**os.environ, **_account(asked.service)}, check=False
            ).returncode


def _account(service: str) -> dict[str, str]:
    """Whom to log in as: somebody of the service's demo."""
    if service != "imba":
        return {}
    from services.imba.demo_accounts import PASSWORD, TENANT  # noqa: PLC0415  # of that service alone

    return {"LOAD_EMAIL": TENANT.email, "LOAD_PASSWORD": PASSWORD}


def _locust() -> str:
    """Locust's program, in an environment of its own."""
    program, mark = HOME / "bin" / "locust", HOME / ".installed"
    digest = hashlib.sha256(WANTED.read_bytes()).hexdigest()
    if not (mark.is_file() and mark.read_text() == digest):
        shutil.rmtree(HOME, ignore_errors=True)
        uv = str(Path(sys.executable).with_name("uv"))
        subprocess.run([uv, "venv", "--quiet", "--python", sys.executable, str(HOME)], check=True)
        install = [uv, "pip", "install", "--quiet", "--python", str(HOME), "-r", str(WANTED)]
        subprocess.run(install, env=uv_environment(), check=True)
        mark.write_text(digest)
    return str(program)


if __name__ == "__main__":
    sys.exit(main())
