"""Find the programs that the suite starts for itself, and install those that are missing: a browser, Node.js, servers, a library."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

# As services/imba/tests/browser.py looks for it.
BROWSERS = ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome")
MISSING = "not installed (as root on Debian or Ubuntu this command installs it)"


def install(*packages: str) -> bool:
    """apt-get, where there is one and we may. True when it says that the packages are there."""
    if os.geteuid() != 0 or shutil.which("apt-get") is None:
        return False
    quiet = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    print(f"installing {' '.join(packages)} with apt-get", flush=True)
    subprocess.run(["apt-get", "update", "-qq"], env=quiet, check=False, stdout=subprocess.DEVNULL)
    command = ["apt-get", "install", "-y", "-qq", "--no-install-recommends", *packages]
    return subprocess.run(command, env=quiet, check=False, stdout=subprocess.DEVNULL).returncode == 0


def find(name: str) -> str | None:
    """Where a program is: Debian keeps servers where only root's PATH leads."""
    return shutil.which(name, path=os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin", "/usr/local/sbin"]))


def provide(program: str) -> str:
    """Look for a program, install it where it is missing; the state in a few words.

    program: also the name of its package.
    """
    return "found" if find(program) or (install(program) and find(program)) else MISSING


def provide_nginx() -> str:
    """Look for nginx, which stands before the processes of `make cluster`; the state in a few words."""
    if find("nginx"):
        return "found"
    state = provide("nginx")
    program = find("nginx")
    if program is not None:
        # The package may have started one on port 80. It is new, so nobody leans on it.
        subprocess.run([program, "-s", "stop"], check=False, capture_output=True)
    return state


def libfaketime() -> Path | None:
    """The library that shows one process another time; None where it is not installed."""
    places = ("lib/*/faketime", "lib/faketime", "local/lib/faketime", "lib64/faketime")
    return next((path for place in places for path in Path("/usr").glob(f"{place}/libfaketimeMT.so.1")), None)


def provide_libfaketime() -> str:
    """Look for libfaketime, install it where it is missing; the state in a few words."""
    return "found" if libfaketime() or (install("libfaketime") and libfaketime()) else MISSING


def browser_version() -> str | None:
    """What the browser says of itself; None where there is none, or one that does not start."""
    named = os.environ.get("FREEHOLD_TEST_CHROMIUM")
    programs = [named] if named else [path for name in BROWSERS if (path := shutil.which(name))]
    for program in programs:
        # Ubuntu's package is a stub that asks for a snap: it is on the PATH and does not run.
        try:
            answer = subprocess.run([program, "--version"], check=False, capture_output=True, text=True, timeout=30)
        except (OSError, subprocess.TimeoutExpired):
            continue
        if answer.returncode == 0 and answer.stdout.strip():
            return answer.stdout.strip()
    return None


def provide_chromium() -> str:
    """Look for a Chromium as the suite will, install one where there is none; the state in a few words."""
    version = browser_version()
    named = os.environ.get("FREEHOLD_TEST_CHROMIUM")
    if version is None and named:
        return f"does not start: FREEHOLD_TEST_CHROMIUM={named}"
    if version is None and install("chromium", "fonts-liberation"):
        version = browser_version()
    if version is None:
        return "not installed (as root on Debian this command installs it; elsewhere set FREEHOLD_TEST_CHROMIUM to one)"
    return f"found: {version}"


def node_version() -> str | None:
    """Of Node.js, where npm is beside it."""
    programs = [shutil.which(name) for name in ("node", "npm")]
    if None in programs:
        return None
    answer = subprocess.run(["node", "--version"], check=False, capture_output=True, text=True, timeout=30)
    return answer.stdout.strip() or None


def provide_node() -> str:
    """Look for Node.js with npm, install them where they are missing; the state in a few words."""
    version = node_version()
    if version is None and install("nodejs", "npm"):
        version = node_version()
    return f"found: {version}" if version else MISSING
