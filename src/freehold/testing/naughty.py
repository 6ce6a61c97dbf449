"""Strings that break careless programs, made by rule: no list of anybody else's is copied here.

Each family names one mistake: trusting length, encoding, direction, quoting, number syntax, or a name that means
something to some interpreter on the way. `naughty()` gives them all, each once.
"""

# ruff: noqa: RUF001  # letters that look like others are the point

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from unicodedata import normalize


@dataclass(frozen=True, slots=True)
class Naughty:
    """A string and the family it belongs to."""

    family: str
    text: str


def naughty() -> list[Naughty]:
    """Every string, in a stable order, without repeats."""
    seen: dict[str, Naughty] = {}
    for family, make in _FAMILIES.items():
        for text in make():
            seen.setdefault(text, Naughty(family, text))
    return list(seen.values())


def _empty_and_blank() -> Iterator[str]:
    yield ""
    spaces = (0x20, 0x09, 0xA0, 0x1680, 0x2028, 0x2029, 0x202F, 0x205F, 0x3000, 0xFEFF, *range(0x2000, 0x200B))
    for code in spaces:
        space = chr(code)
        yield from (space, f"{space}a", f"a{space}", f"a{space}b")


def _control() -> Iterator[str]:
    for code in (*range(0x20), 0x7F, *range(0x80, 0xA0)):
        yield f"a{chr(code)}b"
    yield from (
        "\r\nSet-Cookie: a=b", "a\r\n\r\n<html>", "\n", "\r", "\x00", "a\x00", "\x1b[31mred\x1b[0m",
        "\x1b]0;title\x07",
    )  # fmt: skip


def _invisible() -> Iterator[str]:
    marks = (0xAD, 0x34F, 0x61C, 0x115F, 0x17B4, 0x180E, *range(0x200B, 0x2010), *range(0x2060, 0x2065), 0x3164, 0xFFA0)
    for code in marks:
        yield from (chr(code), f"ad{chr(code)}min")
    yield "".join(chr(0xE0000 + ord(letter)) for letter in "tagged")


def _direction() -> Iterator[str]:
    for code in (*range(0x202A, 0x202F), *range(0x2066, 0x206A)):
        yield from (f"{chr(code)}abc", f"abc{chr(code)}gpj.exe")
    yield from ("שלום עולם", "مرحبا بالعالم", "abc אבג 123", "\u202e" * 50, "﷽", "١٢٣", "۱۲۳", "१२३")


def _combining() -> Iterator[str]:
    for count in (1, 10, 100, 1000):
        yield "e" + "\u0301" * count
        yield "".join(f"{letter}\u0336\u0353" for letter in "zalgo"[:5]) + "\u0334" * count
    for word in ("café", "Ångström", "ﬁnance", "Ⅷ", "ſ", "ǆ", "한글", "か゛", "Å", "½", "①", "㎏"):
        for form in ("NFC", "NFD", "NFKC", "NFKD"):
            yield normalize(form, word)


def _planes() -> Iterator[str]:
    yield from (
        "\ufffe", "\uffff", "\ufffd", "\ufdd0", "\U0001fffe", "\U0010ffff", "\ue000", "\U000f0000", "\U00010348",
    )  # fmt: skip
    yield from ("😀", "👩‍👩‍👧‍👦", "🏳️‍🌈", "👍🏿", "🇩🇪", "🇩", "1️⃣", "☃", "💩" * 100, "❤️", "\ufe0f", "🧑‍💻" * 40)
    for start in (0x400, 0x5D0, 0x627, 0x905, 0xE01, 0x1100, 0x3041, 0x30A1, 0x4E00, 0xAC00, 0x10300, 0x1D400, 0x20000):
        yield "".join(chr(start + offset) for offset in range(12))


def _folding() -> Iterator[str]:
    yield from ("ß", "ẞ", "SS", "İ", "ı", "I", "i", "Ω", "ω", "ς", "σ", "Σ", "ŉ", "ΐ", "ﬃ", "K", "Å", "µ", "μ", "ᾳ")
    yield from ("аdmin", "admіn", "ａｄｍｉｎ", "𝖆𝖉𝖒𝖎𝖓", "ⓐⓓⓜⓘⓝ", "ADMIN", "Admin ", " admin", "admin\u0307", "rооt")


def _long() -> Iterator[str]:
    for size in (31, 32, 63, 64, 127, 128, 255, 256, 257, 1_000, 1_024, 2_048, 4_096, 9_999, 10_000, 10_001, 65_536):
        yield from ("a" * size, "é" * size)
    yield from (
        "a " * 5_000, "(" * 5_000, "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!" * 30, "\\" * 4_000, "%" * 4_000, "A" * 100_000,
    )  # fmt: skip


def _numbers() -> Iterator[str]:
    for sign, digits in product(
        ("", "-", "+"), ("0", "1", "00", "01", "0x1F", "0b1", "0o7", "1e5", "1E400", "1.", ".5", "1_000")
    ):
        yield sign + digits
    for bits in (7, 8, 15, 16, 31, 32, 53, 63, 64, 127, 128):
        yield from (str(2**bits), str(2**bits - 1), str(-(2**bits)), str(-(2**bits) - 1))
    yield from (
        "NaN", "nan", "Infinity", "-inf", "1,000", "1.000,00", "1/0", "1 000", "9" * 400, "0." + "0" * 400 + "1",
        "--1",
    )  # fmt: skip
    yield from (
        "2.2250738585072012e-308", "1.7976931348623159e308", "4.9e-324", "-0.0", "0e0", "¹", "Ⅸ", "五", "0x", "1e",
        "1d",
    )  # fmt: skip


def _words() -> Iterator[str]:
    words = (
        "null", "undefined", "none", "nil", "true", "false", "yes", "no", "on", "off", "void", "this", "self",
        "default",
    )  # fmt: skip
    for word in words:
        yield from (word, word.capitalize(), word.upper())
    yield from (
        "__proto__", "constructor", "prototype", "toString", "hasOwnProperty", "__class__", "__init__", "__dict__",
    )  # fmt: skip
    yield from (
        "CON", "PRN", "AUX", "NUL", "COM1", "LPT9", ".", "..", "~", "-", "--", "*", "#", "@", "$", "&", "id", "me",
        "new",
    )  # fmt: skip
    yield from (
        "admin", "root", "system", "anonymous", "postgres", "sqlite_master", "pg_catalog", "SELECT", "DROP",
        "fh_scope",
    )  # fmt: skip


def _quoting() -> Iterator[str]:
    marks = (
        "'", '"', "`", "\\", "''", '""', "\\'", '\\"', "'\"", "’", "“", "«", ";", "--", "/*", "*/", "%", "_", "%%",
        "%s", "?", "$1", ":id",
    )  # fmt: skip
    for mark in marks:
        yield from (mark, f"a{mark}b", f"{mark}{mark}{mark}")


def _sql() -> Iterator[str]:
    closers = ("'", '"', ")", "')", "'))", "';", "' --", "`", "]")
    payloads = (
        "OR 1=1", "OR 'a'='a", "UNION SELECT NULL,NULL", "; DROP TABLE books", "AND pg_sleep(0)", "|| version()",
        "ORDER BY 99",
    )  # fmt: skip
    for closer, payload in product(closers, payloads):
        yield f"x{closer} {payload} --"
    yield from (
        "1;SELECT 1", "$$; SELECT 1; $$", "E'\\x27'", "U&'\\0027'", "0 OR 1", "LIKE '%", "\\' OR 1=1 --", "a'||'b",
        "a' 'b", "/**/OR/**/1",
    )  # fmt: skip
    yield from (
        "books MATCH 'x'", '"unbalanced', "NEAR(a b)", "a AND", "OR", "NOT", "a*", "^a", "-a", "a:b", "(a",
        "a & b | !c", "a <-> b", ":*", "col:x",
    )  # fmt: skip


def _markup() -> Iterator[str]:
    tags = ("script", "img", "svg", "iframe", "a", "body", "style", "math", "template", "object")
    for tag in tags:
        yield from (
            f"<{tag}>", f"</{tag}>", f"<{tag} onload=alert(1)>", f"&lt;{tag}&gt;",
            f'"><{tag} src=x onerror=alert(1)>',
        )  # fmt: skip
    yield from (
        "<script>alert(1)</script>", "javascript:alert(1)", "data:text/html,<b>x", "<!--", "-->", "<![CDATA[", "]]>",
        "&amp;", "&#0;", "&#x41;",
    )  # fmt: skip
    yield from (
        '<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>', "<a href='//x'>", "\u2028alert(1)",
        "</textarea><b>", "expression(alert(1))",
    )  # fmt: skip


def _templates() -> Iterator[str]:
    for opening, closing in (
        ("{{", "}}"),
        ("{%", "%}"),
        ("${", "}"),
        ("#{", "}"),
        ("<%", "%>"),
        ("[[", "]]"),
        ("{", "}"),
        ("$(", ")"),
        ("%(", ")s"),
    ):
        yield from (
            f"{opening}7*7{closing}", f"{opening}{closing}", f"{opening}self.__class__{closing}", f"{opening}x",
            f"x{closing}",
        )  # fmt: skip
    yield from (
        "%s", "%d", "%n", "%x" * 20, "%08x", "%(name)s", "{0}", "{0.__class__}", "{:>1000000}", "{!r}", "%%",
        "\\u0041", "\\x41", "\\n", "\\0",
    )  # fmt: skip
    yield from (
        "${jndi:ldap://127.0.0.1/a}", "${env:HOME}", "$HOME", "%PATH%", "`id`", "$(id)", "; id", "| id", "&& id",
        "=1+1", "@SUM(1)", "+1", "-1+1",
    )  # fmt: skip


def _paths() -> Iterator[str]:
    for dots, depth in product(
        ("../", "..\\", "%2e%2e/", "..%2f", "..%5c", "....//", "%252e%252e%252f", "..;/"), (1, 5)
    ):
        yield dots * depth + "etc/passwd"
    yield from (
        "/", "//", "/.", "/..", "\\", "C:\\", "file:///etc/passwd", "/dev/null", "a/b", "a\\b", "a/../b", "./a",
        ".htaccess", "a%00b", "%",
    )  # fmt: skip
    yield from (
        "%zz", "%u0041", "%c0%af", "%ff", "%E0%80%80", "+", "a+b", "a%20b", "a&b=c", "a=b", "a#b", "a?b", "a;b",
        "a,b", "http://127.0.0.1", "//a.b",
    )  # fmt: skip


def _json_and_encoding() -> Iterator[str]:
    yield from (
        "{", "}", "[", "]", "[]", "{}", '{"a":1}', "[1,2", '"', "\\", "\\ud800", "\\u0000", "\\uD83D\\uDE00", "\\",
        "\\\\", "//", "/*", "\ufeff{}",
    )  # fmt: skip
    yield from (text.encode().decode("latin-1") for text in ("café", "naïve", "日本", "€", "😀"))
    yield from (
        "cafÃ©", "ï»¿", "Ã¢â‚¬â„¢", "=?utf-8?q?a?=", "a@b", "a@b.c\n", "<a@b>", "a@[127.0.0.1]", '"a b"@c.d',
        "a@b@c", "@", "a@", "xn--80ak6aa92e.com",
    )  # fmt: skip


def _times() -> Iterator[str]:
    yield from (
        "0000-00-00", "2023-02-29", "2024-02-30", "9999-12-31T23:59:60Z", "10000-01-01", "-0001-01-01", "2024-W01-1",
        "2024-001", "1e10",
    )  # fmt: skip
    yield from (
        "2024-01-01T00:00:00+99:99", "2024-01-01T24:00:00Z", "2024-01-01T00:00:00-00:00", "now", "today", "epoch",
        "infinity", "12:60", "P1Y",
    )  # fmt: skip
    yield from (
        "00000000-0000-0000-0000-000000000000", "ffffffff-ffff-ffff-ffff-ffffffffffff",
        "{00000000-0000-0000-0000-000000000000}", "0" * 32,
    )  # fmt: skip


_FAMILIES = {
    "blank": _empty_and_blank,
    "control": _control,
    "invisible": _invisible,
    "direction": _direction,
    "combining": _combining,
    "planes": _planes,
    "folding": _folding,
    "long": _long,
    "numbers": _numbers,
    "words": _words,
    "quoting": _quoting,
    "sql": _sql,
    "markup": _markup,
    "templates": _templates,
    "paths": _paths,
    "encoding": _json_and_encoding,
    "times": _times,
}
