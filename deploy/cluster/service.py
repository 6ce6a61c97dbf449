"""The service's own processes: API processes, which are drained before they end, and workers."""

from __future__ import annotations

import os
import subprocess
import sys
import urllib.error
import urllib.request

from deploy.cluster.layout import ROOT, Layout, NotPossible
from deploy.cluster.processes import Program
from deploy.cluster.servers import BUCKET, Server

TARGET = "services.imba.app:app"


def environment(layout: Layout) -> dict[str, str]:
    """What every process of the service is told; no line of Imba knows of any of it."""
    return {
        "FREEHOLD_ENV": "test",  # production wants https and a certificate; the rest is as there
        "FREEHOLD_DATABASE_URL": f"postgresql://postgres@127.0.0.1:{layout.postgres}/imba",
        "FREEHOLD_REDIS_URL": f"redis://127.0.0.1:{layout.redis}/0",
        "FREEHOLD_BROKER_URL": f"nats://127.0.0.1:{layout.nats}",
        "FREEHOLD_JOBS": "apart" if layout.workers else "inside",
        "FREEHOLD_FILES_URL": f"s3://{BUCKET}",
        "AWS_ENDPOINT_URL": f"http://127.0.0.1:{layout.s3}",
        "AWS_ACCESS_KEY_ID": "cluster",
        "AWS_SECRET_ACCESS_KEY": "cluster",
        "AWS_REGION": "us-east-1",
        "FREEHOLD_SMTP_URL": f"smtp://127.0.0.1:{layout.smtp}",
        "FREEHOLD_PUBLIC_URL": layout.address,
        "FREEHOLD_TRUSTED_PROXIES": "127.0.0.1/32",
        "FREEHOLD_SECRET": layout.secret,
        "FREEHOLD_VAR_DIR": str(layout.folder / "var"),
        "FREEHOLD_LOG_FORMAT": "json",
        "PYTHONPATH": f"{ROOT}:{ROOT / 'src'}",
    }


def freehold(*arguments: str) -> list[str]:
    """The command line of the toolkit."""
    return [sys.executable, "-m", "freehold.cli", *arguments]


def prepare(layout: Layout, *, demo: str) -> None:
    """The schema, and the demo where it is not there: once, before any process serves. Raises NotPossible."""
    command = [sys.executable, "-m", "deploy.cluster.prepare", TARGET, demo]
    whole = {**os.environ, **environment(layout)}
    done = subprocess.run(command, env=whole, cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode:
        raise NotPossible(f"The database cannot be prepared:\n{(done.stdout + done.stderr)[-2000:]}")


def apis(layout: Layout) -> list[Server]:
    """The API processes."""
    return [_api(layout, number) for number in range(1, layout.apis + 1)]


def _api(layout: Layout, number: int) -> Server:
    port = layout.api(number)
    command = freehold("serve", TARGET, "--port", str(port), "--no-migrate")
    return Server(Program(f"api-{number}", command, layout.folder, environment(layout)), lambda: is_ready(port))


def workers(layout: Layout) -> list[Server]:
    """Processes that run jobs, and serve probes alone."""
    return [_worker(layout, layout.worker(number), number) for number in range(1, layout.workers + 1)]


def _worker(layout: Layout, port: int, number: int) -> Server:
    command = freehold("worker", TARGET, "--port", str(port))
    return Server(Program(f"worker-{number}", command, layout.folder, environment(layout)), lambda: is_ready(port))


def is_ready(port: int) -> bool:
    """What it says at /health/ready."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/health/ready", timeout=5) as answer:
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False
