"""What a browser or program says of itself in its User-Agent, in words that a person recognises: "Firefox on Linux".

Families alone, for the list of one's own log-ins. Nothing is decided by it: anybody can send anything. A parser of every
device there is (ua-parser) would bring a data package for three words.
"""

from __future__ import annotations

# In this order: Edge and Opera call themselves Chrome as well, and Chrome calls itself Safari.
_PROGRAMS = (
    ("Edg", "Edge"),
    ("OPR/", "Opera"),
    ("SamsungBrowser/", "Samsung Internet"),
    ("Firefox/", "Firefox"),
    ("FxiOS/", "Firefox"),
    ("CriOS/", "Chrome"),
    ("Chrome/", "Chrome"),
    ("Safari/", "Safari"),
    ("curl/", "curl"),
    ("python", "Python"),
    ("okhttp/", "an Android app"),
    ("CFNetwork/", "an Apple app"),
    ("node", "Node.js"),
)
# Android calls itself Linux as well, and an iPad or iPhone Mac OS.
_SYSTEMS = (
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Android", "Android"),
    ("CrOS", "ChromeOS"),
    ("Windows", "Windows"),
    ("Macintosh", "macOS"),
    ("Linux", "Linux"),
)
UNKNOWN = "unknown device"


def program_and_system(user_agent: str) -> tuple[str | None, str | None]:
    """What asks, and what it runs on; None for what is not recognised."""
    return _first(_PROGRAMS, user_agent), _first(_SYSTEMS, user_agent)


def device_name(user_agent: str) -> str:
    """A short name of the device in English; `unknown device` where nothing is recognised."""
    program, system = program_and_system(user_agent)
    if program is None:
        return system or UNKNOWN
    return program if system is None else f"{program} on {system}"


def _first(known: tuple[tuple[str, str], ...], user_agent: str) -> str | None:
    return next((name for mark, name in known if mark in user_agent), None)
