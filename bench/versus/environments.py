"""What the peers need, installed apart from the product: one virtual environment, or one node_modules, for each."""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
import sys
from importlib.metadata import distributions
from pathlib import Path

from bench.versus.contenders import PEERS, ROOT, Contender

sys.path.insert(0, str(ROOT / "scripts"))
from registry import uv_environment  # scripts is no package

DONE = ".installed"


def provide(contender: Contender) -> None:
    """Install what a contender needs, where its list has changed since. Raises CalledProcessError."""
    if contender.is_ours:
        return
    wanted = PEERS / contender.folder / ("package.json" if contender.is_node else "requirements.txt")
    mark, digest = contender.home / DONE, hashlib.sha256(wanted.read_bytes()).hexdigest()
    if not (mark.is_file() and mark.read_text() == digest):
        shutil.rmtree(contender.home, ignore_errors=True)
        contender.home.mkdir(parents=True)
        print(f"installing {contender.folder}", file=sys.stderr, flush=True)
        (_with_npm if contender.is_node else _with_uv)(contender, wanted)
        mark.write_text(digest)
    if contender.is_node:
        for each in wanted.parent.glob("*.js"):
            shutil.copy(each, contender.home)


def _with_uv(contender: Contender, wanted: Path) -> None:
    uv = str(Path(sys.executable).with_name("uv"))
    venv = contender.home / "venv"
    subprocess.run([uv, "venv", "--quiet", "--python", sys.executable, str(venv)], check=True)
    command = [uv, "pip", "install", "--quiet", "--compile-bytecode", "--python", str(venv), "-r", str(wanted)]
    subprocess.run(command, env=uv_environment(), check=True)


def _with_npm(contender: Contender, wanted: Path) -> None:
    shutil.copy(wanted, contender.home)
    npm = shutil.which("npm") or "npm"
    subprocess.run([npm, "install", "--silent", "--no-audit", "--no-fund"], cwd=contender.home, check=True)


def versions(contender: Contender) -> dict[str, str]:
    """What is installed of what its list names: `{"fastapi": "0.165.0", …}`."""
    folder = PEERS / contender.folder
    if contender.is_node:
        named = json.loads((folder / "package.json").read_text())["dependencies"]
        parts = {each: contender.home / "node_modules" / each / "package.json" for each in named}
        return {name: json.loads(path.read_text())["version"] for name, path in parts.items()}
    if contender.is_ours:
        names = {"freehold", "fastapi", "sqlalchemy", "asyncpg", "uvicorn", "pydantic"}
        return {each.name: each.version for each in distributions() if each.name.lower() in names}
    lines = (folder / "requirements.txt").read_text().splitlines()
    names = {line.partition("~")[0].partition(">")[0].partition("[")[0].lower() for line in lines if line}
    places = [str(each) for each in (contender.home / "venv" / "lib").glob("python*/site-packages")]
    return {each.name: each.version for each in distributions(path=places) if each.name.lower() in names}
