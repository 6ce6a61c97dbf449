"""A small database of places, in MaxMind's format: addresses that are reserved for documents, and where they are said to be."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from mmdb_writer import MMDBWriter
from netaddr import IPSet

BERLIN = {
    "city": {"names": {"en": "Berlin", "es": "Berlín"}},
    "country": {"iso_code": "DE", "names": {"en": "Germany", "de": "Deutschland", "es": "Alemania"}},
}
PLACES: dict[str, dict[str, Any]] = {
    "203.0.113.0/24": BERLIN,
    "2001:db8:1::/48": {"country": {"iso_code": "NO"}},
    "198.51.100.0/24": {"traits": {"is_anonymous_proxy": True}},
}


def written(file: Path) -> Path:
    """The database, in a file."""
    writer = MMDBWriter(
        ip_version=6, ipv4_compatible=True, database_type="Test-City", languages=["en", "es"], description="Of tests"
    )
    for network, place in PLACES.items():
        writer.insert_network(IPSet([network]), place)
    writer.to_db_file(str(file))
    return file
