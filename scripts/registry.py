"""Tell uv what pip knows of registries and certificates.

uv ignores pip's configuration. No registry is named in this repository, so an
index, a folder of wheels or a certificate that the machine is set up with has
to be carried over.
"""

from __future__ import annotations

import os
import subprocess
import sys

# pip's option -> the variable that uv reads
CARRIED = {
    "index-url": "UV_DEFAULT_INDEX",
    "extra-index-url": "UV_INDEX",
    "find-links": "UV_FIND_LINKS",
    "cert": "SSL_CERT_FILE",
}


def pip_option(python: str, option: str) -> str | None:
    """What pip would use: its environment variable, else its files (`install` before `global`)."""
    given = os.environ.get("PIP_" + option.upper().replace("-", "_"))
    if given:
        return given
    for section in ("install", "global"):
        answer = subprocess.run(
            [python, "-m", "pip", "config", "get", f"{section}.{option}"],
            capture_output=True,
            text=True,
            check=False,
        )
        if answer.returncode == 0 and answer.stdout.strip():
            return answer.stdout.strip()
    return None


def uv_environment(python: str = sys.executable) -> dict[str, str]:
    """The process environment plus pip's registries and certificate, in uv's names; what is set for uv wins."""
    environment = dict(os.environ)
    for option, variable in CARRIED.items():
        if variable not in environment and (value := pip_option(python, option)):
            # pip separates several values by white space; uv wants commas for folders.
            environment[variable] = ",".join(value.split()) if option == "find-links" else " ".join(value.split())
    if environment.get("UV_INDEX"):
        # An extra index may mirror older copies, and uv stops at the first that knows a name.
        # Looking in all of them is safe here: every file is held to the hash in the lock.
        environment.setdefault("UV_INDEX_STRATEGY", "unsafe-best-match")
    return environment
