"""Where an address is: what a real file says of it, in several languages, and files that are none."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.geoip import written

from freehold.errors import ConfigurationError
from freehold.identity.locations import Locations


@pytest.fixture(scope="module")
def places(tmp_path_factory: pytest.TempPathFactory) -> Locations:
    return Locations(written(tmp_path_factory.mktemp("geoip") / "places.mmdb"))


@pytest.mark.parametrize(
    ("address", "language", "name"),
    [
        ("203.0.113.7", "en", "Berlin, Germany"),
        ("203.0.113.7", "es", "Berlín, Alemania"),
        ("203.0.113.7", "de", "Berlin, Deutschland"),
        ("203.0.113.7", "tlh", "Berlin, Germany"),
        ("2001:db8:1::42", "en", "NO"),
    ],
)
def test_a_place_is_named_in_the_language_or_in_english(
    places: Locations, address: str, language: str, name: str
) -> None:
    found = places.find(address)
    assert found is not None
    assert found.name(language) == name


@pytest.mark.parametrize("address", ["198.51.100.1", "192.0.2.1", "127.0.0.1", "::1", "", "unix", "203.0.113.7:443"])
def test_what_is_not_known_is_nowhere(places: Locations, address: str) -> None:
    assert places.find(address) is None
    assert Locations().find(address) is None


@pytest.mark.parametrize("content", [None, b"", b"no database", b"\xab\xcd\xefMaxMind.com\xe0"])
def test_a_file_that_is_none_stops_the_start(tmp_path: Path, content: bytes | None) -> None:
    file = tmp_path / "places.mmdb"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(ConfigurationError, match=r"FREEHOLD_GEOIP_FILE=.*places[.]mmdb"):
        Locations(file)


def test_a_file_that_is_cut_off_stops_the_start_or_knows_less(tmp_path: Path) -> None:
    """Whatever is left of it: no lookup fails."""
    whole = written(tmp_path / "whole.mmdb").read_bytes()
    for length in range(0, len(whole), 7):
        file = tmp_path / f"{length}.mmdb"
        file.write_bytes(whole[:length] + whole[length + 40 :])
        try:
            found = Locations(file)
        except ConfigurationError:
            continue
        for address in ("203.0.113.7", "2001:db8:1::42", "192.0.2.1"):
            found.find(address)


@pytest.mark.parametrize("byte", [0x00, 0x2A, 0xE1, 0xFF])
def test_a_file_that_is_damaged_stops_the_start_or_knows_less(tmp_path: Path, byte: int) -> None:
    """In any place: no lookup fails, and none ends the process."""
    whole, file = written(tmp_path / "whole.mmdb").read_bytes(), tmp_path / "damaged.mmdb"
    for place in range(0, len(whole) - 1, 3):
        file.unlink(missing_ok=True)
        file.write_bytes(whole[:place] + bytes([byte, byte]) + whole[place + 2 :])
        try:
            found = Locations(file)
        except ConfigurationError:
            continue
        for address in ("203.0.113.7", "2001:db8:1::42", "192.0.2.1"):
            known = found.find(address)
            assert known is None or known.name("es")
