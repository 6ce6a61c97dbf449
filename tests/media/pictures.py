"""Pictures of the tests: honest ones, and those that are made to do harm."""

from __future__ import annotations

import io
import struct
import zipfile
import zlib
from functools import cache
from typing import Any

import pyvips


@cache
def photo(width: int = 120, height: int = 80, kind: str = "jpg", **options: Any) -> bytes:
    """A small picture with some content."""
    plane = pyvips.Image.xyz(width, height)
    made = plane[0].bandjoin([plane[1], plane[0] * 0 + 90]).cast("uchar").copy(interpretation="srgb")
    return made.write_to_buffer(f".{kind}", **options)


def with_exif(orientation: int = 6) -> bytes:
    """A JPEG that says where it was taken, and that it lies on its side."""
    made = pyvips.Image.new_from_buffer(photo(), "").copy()
    made.set_type(pyvips.GValue.gint_type, "orientation", orientation)
    for name, value in {
        "exif-ifd3-GPSLatitude": "48/1 30/1 0/1",
        "exif-ifd0-Make": "Secretcam",
        "exif-ifd0-ImageDescription": "at home",
    }.items():
        made.set_type(pyvips.GValue.gstr_type, name, f"{value} (, ASCII, 1 components, 1 bytes)")
    return made.jpegsave_buffer(keep="exif")


def png(width: int, height: int, rows: bytes, *, before: bytes = b"", kind: int = 2, interlace: int = 0) -> bytes:
    """A PNG of a stated size with given data."""
    header = struct.pack(">IIBBBBB", width, height, 8, kind, 0, 0, interlace)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + before + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def huge_png() -> bytes:
    """60,000 x 60,000 by its header, in a few hundred bytes."""
    return png(60_000, 60_000, zlib.compress(b"\0" * 1000))


@cache
def zlib_bomb() -> bytes:
    """39 megapixels that are really there, packed a thousand times over."""
    packer, row = zlib.compressobj(9), b"\0" * (6200 * 3 + 1)
    return png(6200, 6200, b"".join(packer.compress(row) for _ in range(6200)) + packer.flush())


@cache
def text_bomb() -> bytes:
    """A picture of ten pixels with 200 MB of comment and colour profile, packed."""
    bomb = zlib.compress(b"\0" * 200_000_000, 9)
    rows = zlib.compress((b"\0" + b"a" * 30) * 10)
    return png(10, 10, rows, before=chunk(b"iCCP", b"a\0\0" + bomb) + chunk(b"zTXt", b"a\0\0" + bomb))


def apng(frames: int = 10_000) -> bytes:
    """An animation with a frame for every number."""
    rows = zlib.compress((b"\0" + b"a" * 30) * 10)
    made = [b"\x89PNG\r\n\x1a\n", chunk(b"IHDR", struct.pack(">IIBBBBB", 10, 10, 8, 2, 0, 0, 0))]
    made.append(chunk(b"acTL", struct.pack(">II", frames, 0)))
    made.append(chunk(b"fcTL", struct.pack(">IIIIIHHBB", 0, 10, 10, 0, 0, 1, 100, 0, 0)) + chunk(b"IDAT", rows))
    for number in range(1, frames):
        made.append(chunk(b"fcTL", struct.pack(">IIIIIHHBB", number * 2 - 1, 10, 10, 0, 0, 1, 100, 0, 0)))
        made.append(chunk(b"fdAT", struct.pack(">I", number * 2) + rows))
    return b"".join([*made, chunk(b"IEND", b"")])


def gif(frames: int = 10_000, *, width: int = 10, height: int = 10) -> bytes:
    frame = b"\x21\xf9\x04\0\1\0\0\0\x2c\0\0\0\0\x0a\0\x0a\0\0\x02\x02\x44\x01\0"
    screen = struct.pack("<HH", width, height) + b"\x80\0\0\0\0\0\xff\xff\xff"
    return b"GIF89a" + screen + frame * frames + b";"


def huge_webp() -> bytes:
    """16,383 x 16,383, the most that the format has, by a header of a few bytes."""
    bits = (16_382) | (16_382 << 14)
    body = b"VP8L" + struct.pack("<I", 10) + b"\x2f" + struct.pack("<I", bits) + b"\0" * 5
    return b"RIFF" + struct.pack("<I", len(body) + 4) + b"WEBP" + body


def tiff_strips() -> bytes:
    """A TIFF with a strip for each of 60,000 rows."""
    entries = [(256, 4, 1, 60_000), (257, 4, 1, 60_000), (258, 3, 1, 8), (259, 3, 1, 1), (262, 3, 1, 1),
               (273, 4, 60_000, 8), (278, 4, 1, 1), (279, 4, 60_000, 8)]  # fmt: skip
    table = b"".join(struct.pack("<HHII", *entry) for entry in entries)
    return b"II*\0" + struct.pack("<I", 8) + struct.pack("<H", len(entries)) + table + b"\0\0\0\0"


def svg() -> bytes:
    return b'<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'


def html() -> bytes:
    return b"<!doctype html><html><script>alert(1)</script></html>"


def pdf() -> bytes:
    return b"%PDF-1.4\n1 0 obj<<>>endobj\ntrailer<<>>\n%%EOF\n"


def jpeg_and(comment: bytes) -> bytes:
    """A picture with a comment, which may be a page."""
    whole = photo()
    return whole[:2] + b"\xff\xfe" + struct.pack(">H", len(comment) + 2) + comment + whole[2:]


def gifar() -> bytes:
    """A picture that is an archive as well."""
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as written:
        written.writestr("Evil.class", b"\xca\xfe\xba\xbe")
    return photo(kind="gif") + archive.getvalue()


def mp4(size: int = 4096) -> bytes:
    return b"\0\0\0\x18ftypmp42\0\0\0\0mp42isom" + b"\0" * (size - 24)
