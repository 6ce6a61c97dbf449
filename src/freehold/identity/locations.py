"""Where in the world an address is, as a database of the operator's knows it; nothing is asked over a network.

The file is MaxMind's format (GeoLite2-City, GeoIP2-Country, DB-IP's and others). It is mapped into memory once, at the
start; a newer one is read by the next start. Needs the extra `geoip` (maxminddb).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from freehold.errors import ConfigurationError

if TYPE_CHECKING:
    from freehold.store.database import Database

UNKNOWN = "unknown"
# What reading comes to where a file was damaged: its types are wrong, it ends too soon, or it leads round in circles.
_FAULTS = (OSError, ValueError, TypeError, LookupError, RuntimeError)


@dataclass(frozen=True, slots=True)
class Location:
    """What is known of a place: names by language (`en` among them), of the city and the country. Either may be empty."""

    city: Mapping[str, str]
    country: Mapping[str, str]

    def name(self, language: str = "en") -> str:
        """`Berlin, Germany`; in English where the database has no other; empty where it names neither."""
        named = (names.get(language) or names.get("en", "") for names in (self.city, self.country))
        return ", ".join(filter(None, named))


class Locations:
    """The places of one database file; without a file every place is unknown.

    Raises ConfigurationError for a file that is not there or cannot be read.
    """

    def __init__(self, file: Path | None = None) -> None:
        self._reader: Any = None if file is None else _opened(file)

    def find(self, address: str) -> Location | None:
        """None where nothing is known: most often of an address of this network."""
        if self._reader is None:
            return None
        try:
            found = self._reader.get(address)
        except _FAULTS:  # or no address, or IPv6 in a file of IPv4
            return None
        if not isinstance(found, dict):
            return None
        place = Location(_names(found, "city"), _names(found, "country"))
        return place if place.name() else None


def locations_of(database: Database) -> Locations:
    """Those that the application of a database was given."""
    found: Locations | None = database.parts.get(Locations)
    return found or Locations()


def _opened(file: Path) -> Any:
    try:
        import maxminddb  # noqa: PLC0415  # needs an extra that not everybody has
    except ImportError:
        raise ConfigurationError(
            'FREEHOLD_GEOIP_FILE needs the package maxminddb: pip install "freehold[geoip]"'
        ) from None
    try:
        # The reader in Python, not the one in C: that one ends the process at a damaged file, and pages ask it little.
        return maxminddb.open_database(file, maxminddb.MODE_MMAP)
    except _FAULTS as error:
        raise ConfigurationError(
            f"FREEHOLD_GEOIP_FILE={file}: no MaxMind database can be read there ({type(error).__name__})"
        ) from error


def _names(record: dict[str, Any], part: str) -> Mapping[str, str]:
    """The names of a part, or the two letters of a country that has none."""
    about = record.get(part)
    if not isinstance(about, dict):
        return {}
    names, code = about.get("names"), about.get("iso_code")
    found = {key: text for key, text in names.items() if isinstance(text, str)} if isinstance(names, dict) else {}
    return {"en": code, **found} if isinstance(code, str) else found
