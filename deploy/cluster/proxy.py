"""nginx before the API processes, by deploy/nginx.conf with this cluster's ports in it."""

from __future__ import annotations

import re
import signal
import socket
import time
from pathlib import Path

from deploy.cluster.layout import ROOT, Layout, NotPossible
from deploy.cluster.processes import PATIENCE_SECONDS, TICK_SECONDS, Program
from deploy.cluster.servers import Server, need

TEMPLATE = ROOT / "deploy" / "nginx.conf"


class Proxy:
    """nginx. An API process can be taken out of its list and put back, without a connection being cut."""

    def __init__(self, layout: Layout) -> None:
        self._layout = layout
        self._file = layout.folder / "nginx.conf"

    @property
    def server(self) -> Server:
        """To be started, once `write` has been."""
        command: list[str | Path] = [
            need("nginx", "nginx"),
            "-p",
            self._layout.folder,
            "-c",
            self._file,
            "-g",
            "daemon off;",
        ]
        return Server(Program("nginx", command, self._layout.folder), self._listens)

    def write(self, *, without: int = 0) -> None:
        """The configuration. without: the number of an API process that gets no requests."""
        self._file.write_text(configuration(self._layout, TEMPLATE, without=without))

    def reload(self, *, without: int = 0) -> None:
        """Have requests go elsewhere, and wait for the end of those that are under way by the list of before."""
        self.write(without=without)
        program = self.server.program
        before = _children(program.pid or 0)
        program.signal(signal.SIGHUP)
        until = time.monotonic() + PATIENCE_SECONDS
        while before & _children(program.pid or 0) and time.monotonic() < until:
            time.sleep(TICK_SECONDS)

    def _listens(self) -> bool:
        with socket.socket() as probe:
            probe.settimeout(1)
            return probe.connect_ex(("127.0.0.1", self._layout.front)) == 0


def _children(pid: int) -> set[str]:
    """Of nginx: the processes that serve. After a reload each ends with its last request."""
    try:
        return set(Path(f"/proc/{pid}/task/{pid}/children").read_text().split())
    except FileNotFoundError:
        return set()


def configuration(layout: Layout, template: Path, *, without: int = 0) -> str:
    """deploy/nginx.conf, listening on the cluster's port, with its API processes as upstreams."""
    upstreams = "\n        ".join(
        f"server 127.0.0.1:{layout.api(number)} max_fails=3 fail_timeout=2s{' down' if number == without else ''};"
        for number in range(1, layout.apis + 1)
    )
    temporary = "\n".join(
        f"    {each}_temp_path {each}_temp;" for each in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    # Its pid file is nginx.pid already, for nginx itself; ours notes when the process began as well.
    changes = {
        r"^pid nginx\.pid;": "pid nginx.own.pid;",
        r"^http \{": "http {\n" + temporary,
        r"server 127\.0\.0\.1:8000;": upstreams,
        r"limit_conn addresses 100;": "limit_conn addresses 10000;",  # here all clients have one address
        r"listen 8080 default_server;": f"listen 127.0.0.1:{layout.front} default_server;",
    }
    text = template.read_text()
    for pattern, by in changes.items():
        text, number = re.subn(pattern, by, text, count=1, flags=re.MULTILINE)
        if not number:
            raise NotPossible(f"{template} has no line {pattern}, which the cluster would change.")
    return text
