"""Is a database file on a network drive? There, locks are not what SQLite and the writers' queue take them for."""

from __future__ import annotations

from pathlib import Path

import structlog

_log = structlog.get_logger("freehold.store")

MOUNTS = Path("/proc/self/mountinfo")
NETWORKED = frozenset(
    {"9p", "afs", "afpfs", "beegfs", "ceph", "cifs", "davfs", "glusterfs", "lustre", "ncpfs", "nfs", "nfs4", "smb3"}
    | {"smbfs", "fuse.ceph", "fuse.davfs2", "fuse.glusterfs", "fuse.rclone", "fuse.s3fs", "fuse.sshfs"}
)


def network_file_system(path: Path, *, mounts: Path = MOUNTS) -> str | None:
    """The kind of network file system that holds `path`; None on a local one, and where the kernel does not tell."""
    try:
        lines = mounts.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return None
    found, longest = "", -1
    whole = path.absolute().resolve()
    for line in lines:
        before, _, after = line.partition(" - ")
        # Spaces in a mount point are written as octal escapes.
        point = Path(before.split(" ")[4].replace("\\040", " "))
        depth = len(point.parts)
        # The last of several mounts on one point is the one that is seen.
        if depth >= longest and whole.is_relative_to(point):
            found, longest = after.split(" ")[0], depth
    return found if found in NETWORKED else None


def warn_of_network_drive(path: Path, *, mounts: Path = MOUNTS) -> None:
    """Say in the log that the file may be damaged by two who write (F15)."""
    kind = network_file_system(path, mounts=mounts)
    if kind is not None:
        _log.warning(
            "sqlite_on_network_drive",
            file_system=kind,
            because="its locks are not reliable: two processes may damage the file",
            remedy="keep the database on a local disk, or use PostgreSQL (FREEHOLD_DATABASE_URL)",
        )
