"""Make a virtual environment hold exactly what requirements.lock names, and Freehold itself.

    python scripts/bootstrap.py .venv

Needs nothing but the standard library. Uses uv (found, or installed from the
lock by its hash); where uv cannot be had, pip installs the same files, slower.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import venv
from pathlib import Path

from registry import uv_environment

ROOT = Path(__file__).resolve().parent.parent
LOCK = ROOT / "requirements.lock"


def say(text: str) -> None:
    """Tell the person who waits, apart from what make prints."""
    print(f"bootstrap: {text}", file=sys.stderr, flush=True)


def works(python: Path) -> bool:
    """Is this an environment made in this place, with a Python that still runs and is new enough?"""
    probe = "import sys; print(sys.prefix); sys.exit(sys.version_info < (3, 11))"
    try:
        answer = subprocess.run([python, "-c", probe], capture_output=True, text=True, check=False)
    except OSError:
        return False
    return answer.returncode == 0 and Path(answer.stdout.strip()).resolve() == python.parent.parent.resolve()


def make_environment(folder: Path) -> Path:
    """Make the environment, or anew where it was moved, copied or left by a Python that is gone. Returns its Python."""
    python = folder / "bin" / "python"
    if works(python):
        return python
    say(f"making {folder.name} with Python {sys.version.split()[0]}")
    shutil.rmtree(folder, ignore_errors=True)
    try:
        venv.create(folder, with_pip=True, symlinks=True)
    except (subprocess.CalledProcessError, OSError) as error:
        uv = shutil.which("uv")
        if uv is None:
            sys.exit(
                f"bootstrap: this Python cannot make a virtual environment ({error}).\n"
                "Debian and Ubuntu keep that part apart: apt-get install python3-venv (or put uv on the PATH)."
            )
        subprocess.run([uv, "venv", "--quiet", "--seed", "--python", sys.executable, folder], check=True)
    return python


def locked_entry(name: str) -> str:
    """The lines of one package in the lock, with its hashes."""
    entries = LOCK.read_text(encoding="utf-8").replace("\\\n", "\0").splitlines()
    found = [entry for entry in entries if entry.startswith(f"{name}==")]
    return "\n".join(found).replace("\0", "\\\n") + "\n"


def find_uv(python: Path) -> str | None:
    """Find uv: from the environment, from the PATH, or installed into the environment from the lock."""
    for candidate in (shutil.which("uv", path=python.parent), shutil.which("uv")):
        if candidate is not None:
            return candidate
    wanted = python.parent.parent / "uv.requirement"
    wanted.write_text(locked_entry("uv"), encoding="utf-8")
    command: list[str | Path] = [
        python,
        "-m",
        "pip",
        "install",
        "--quiet",
        "--no-deps",
        "--require-hashes",
        "-r",
        wanted,
    ]
    if subprocess.run(command, check=False).returncode != 0:
        return None
    return shutil.which("uv", path=python.parent)


def install(python: Path) -> None:
    """Install the locked files and, without looking for anything else, Freehold itself from this folder."""
    uv = find_uv(python)
    if uv is not None:
        tool, exact = [uv, "pip"], ["sync", "--quiet", "--require-hashes", str(LOCK)]
        target, environment = ["--python", str(python)], uv_environment(str(python))
    else:
        say("uv is not to be had here; pip does the same, slower")
        tool, exact = [str(python), "-m", "pip"], ["install", "--quiet", "--require-hashes", "-r", str(LOCK)]
        target, environment = [], None
    own = ["install", "--quiet", "--no-deps", "--no-build-isolation", "-e", str(ROOT)]
    for step in (exact, own):
        done = subprocess.run([*tool, step[0], *target, *step[1:]], env=environment, check=False)
        if done.returncode != 0:
            sys.exit(f"bootstrap: {' '.join([Path(tool[0]).name, *tool[1:], step[0]])} failed; its message is above")


def main() -> None:
    """Run from the Makefile, which picks the Python."""
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else ".venv").absolute()
    if sys.version_info < (3, 11):  # noqa: UP036  # the one file that an older Python may be asked to run
        sys.exit(f"bootstrap: Freehold needs Python 3.11 or later, this is {sys.version.split()[0]}")
    say("installing what requirements.lock names")
    install(make_environment(folder))


if __name__ == "__main__":
    main()
