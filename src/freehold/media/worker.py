"""The program that opens pictures of strangers. It runs on its own, with limits, and may be killed at any time.

Started as a file, so that nothing but the standard library and pyvips is in its memory. One request a line on standard
input, one answer a line on standard output, both JSON: `{"do": "look" or "render", "path": …, …}` is answered by
`{"ok": …}` or `{"refused": "why, in words for the sender"}`.
"""

from __future__ import annotations

import json
import mmap
import os
import re
import resource
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

LOADERS = {
    "image/jpeg": "jpegload",
    "image/png": "pngload",
    "image/webp": "webpload",
    "image/gif": "gifload",
    "image/avif": "heifload",
}
SAVE: dict[str, dict[str, Any]] = {
    "avif": {"compression": "av1", "Q": 55, "effort": 0, "bitdepth": 8},
    "webp": {"Q": 78, "effort": 2},
    "jpeg": {"Q": 80, "interlace": True, "optimize_coding": True, "background": [255]},
}
MAX_FRAMES = 1000
# What other readers than ours take for their own: pages, scripts, documents and archives inside a picture. Some text
# has to follow: four letters and a bracket alone turn up by chance in one of a few thousand honest photos.
_FOREIGN = re.compile(
    rb"<(?:!doctype\s+html|(?:html|head|body|script|iframe|svg)[\s/>]|\?php)[\t\n\r -~]{6}|%PDF-[12]\.[0-9]",
    re.IGNORECASE,
)
_END_OF_ARCHIVE = b"PK\x05\x06"
_ARCHIVE_TAIL = 22 + 65_535  # the record with its longest comment

_STACK_BYTES = 2 * 1024 * 1024  # of each thread: the default of 8 MiB would use up the address space
_WRITTEN_BYTES = 64 * 1024 * 1024


class Refused(Exception):
    """The picture is not taken; the message is for its sender."""


def limit(memory_bytes: int) -> None:
    """Bound this process, then begin again under the bounds: the size of stacks is read at the start."""
    for kind, most in (
        (resource.RLIMIT_AS, memory_bytes),
        (resource.RLIMIT_STACK, _STACK_BYTES),
        (resource.RLIMIT_FSIZE, _WRITTEN_BYTES),
        (resource.RLIMIT_CORE, 0),
    ):
        _, hard = resource.getrlimit(kind)
        resource.setrlimit(kind, (most if hard == resource.RLIM_INFINITY else min(most, hard), hard))
    os.nice(10)
    os.execv(sys.executable, [sys.executable, "-I", __file__])  # noqa: S606  # the same program, without a shell


def open_picture(path: str, content_type: str, max_pixels: int) -> Any:
    """The header of a picture, or its first frame. Raises Refused by what the header says, before anything is decoded."""
    import pyvips  # noqa: PLC0415  # after the limits

    try:
        picture = pyvips.Image.new_from_file(path, access="sequential", fail_on="truncated")
    except pyvips.Error as error:
        raise Refused("The file cannot be read as a picture.") from error
    if picture.get("vips-loader") != LOADERS[content_type]:
        raise Refused("The file is not the kind of picture that it says it is.")
    if picture.width * picture.height > max_pixels:
        raise Refused(f"The picture has more than {max_pixels / 1e6:g} megapixels.")
    if picture.get_n_pages() > MAX_FRAMES:
        raise Refused(f"The picture has more than {MAX_FRAMES} frames.")
    return picture


def look(request: dict[str, Any]) -> dict[str, Any]:
    """The size of a picture as it is seen, from its header, and whether it is a picture and nothing besides."""
    picture = open_picture(request["path"], request["content_type"], request["max_pixels"])
    refuse_foreign(request["path"])
    turned = picture.get_typeof("orientation") != 0 and picture.get("orientation") in (5, 6, 7, 8)
    return {"size": [picture.height, picture.width] if turned else [picture.width, picture.height]}


def refuse_foreign(path: str) -> None:
    """Raise Refused for a file that is a page, a document or an archive as well."""
    with Path(path).open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
        at = content.rfind(_END_OF_ARCHIVE, max(0, len(content) - _ARCHIVE_TAIL))
        is_archive = at >= 0 and at + 22 + int.from_bytes(content[at + 20 : at + 22], "little") <= len(content)
        if is_archive or _FOREIGN.search(content) is not None:
            raise Refused("The file is something else besides a picture.")


def render(request: dict[str, Any]) -> dict[str, Any]:
    """Write every size in every format. Metadata stays behind; the colours and the way up are made part of the pixels."""
    import pyvips  # noqa: PLC0415

    path, folder = request["path"], Path(request["folder"])
    open_picture(path, request["content_type"], request["max_pixels"])
    made: dict[str, Any] = {}
    try:
        larger: Any = None
        for name, side in sorted(request["sizes"].items(), key=lambda each: -each[1]):
            if larger is None:
                larger = pyvips.Image.thumbnail(
                    path, side, height=side, size="down", export_profile="srgb", fail_on="truncated"
                ).copy_memory()  # fmt: skip
            else:
                larger = larger.thumbnail_image(side, height=side, size="down").copy_memory()
            for output in request["outputs"]:
                target = str(folder / f"{name}.{output}")
                {"avif": larger.heifsave, "webp": larger.webpsave, "jpeg": larger.jpegsave}[output](
                    target, keep="none", **SAVE[output]
                )
            made[name] = [larger.width, larger.height]
    except pyvips.Error as error:
        raise Refused("The picture is damaged or too large to be worked on.") from error
    return made


WORK: dict[str, Callable[[dict[str, Any]], dict[str, Any]]] = {"look": look, "render": render}


def answer(line: str) -> dict[str, Any]:
    """One request carried out."""
    request = json.loads(line)
    # Past it the kernel ends this process. The computing time counts, and not that a busy machine lets it wait.
    until = int(time.process_time() + request["seconds"]) + 1
    resource.setrlimit(resource.RLIMIT_CPU, (until, resource.getrlimit(resource.RLIMIT_CPU)[1]))
    try:
        return {"ok": WORK[request["do"]](request)}
    except Refused as refused:
        return {"refused": str(refused)}
    except MemoryError:
        return {"refused": "The picture needs more memory than it is given."}


def main() -> None:
    """Answer until the other side is gone."""
    import pyvips  # noqa: PLC0415

    pyvips.block_untrusted_set(True)
    pyvips.cache_set_max(0)
    sys.stdout.write('{"ok": "ready"}\n')
    sys.stdout.flush()
    for line in sys.stdin:
        sys.stdout.write(json.dumps(answer(line)) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    if len(sys.argv) > 1:
        limit(int(sys.argv[1]))
    main()
