"""What somebody types into a search box, read."""

from __future__ import annotations

import pytest

from freehold.query.words import Match, Phrase, Search, Words, read_search
from freehold.resource.grams import WHOLE


def written(phrases: tuple[Phrase, ...]) -> list[str]:
    return [" ".join(phrase.terms) + ("*" if phrase.prefix else "") for phrase in phrases]


READ: list[tuple[str, list[str], list[str]]] = [
    ("sunny loft", ["sunny", "loft*"], []),
    ('"Sea View" loft', ["sea view", "loft*"], []),
    ('loft "Sea View"', ["loft", "sea view"], []),
    ("loft \u201csea view\u201d", ["loft", "sea view"], []),
    ('loft "sea vi', ["loft", "sea vi*"], []),
    ("loft -garden", ["loft"], ["garden"]),
    ('-garden -"to let" loft', ["loft*"], ["garden", "to let"]),
    ("-garden", [], ["garden"]),
    ("--garden", [], ["garden"]),
    ("o'brien", ["o brien*"], []),
    ("sea-view - loft", ["sea view", "loft*"], []),
    ("loft loft loft", ["loft", "loft*"], []),
    ('""', [], []),
    ('- " -" ...', [], []),
    ("京 loft", ["京*", "loft*"], []),
    ("海辺の家 -東京", ["海辺 辺の の家"], ["東京"]),
]


@pytest.mark.parametrize(("text", "wanted", "without"), READ)
def test_what_was_typed_is_read(text: str, wanted: list[str], without: list[str]) -> None:
    found = read_search(text)
    assert (written(found.phrases), written(found.without)) == (wanted, without)
    assert found.is_empty == (not wanted and not without)


def test_the_tiers_do_not_overlap() -> None:
    found = read_search("sunny lof -garden")
    garden = Words((Phrase(("garden",)),))
    exact = Words((Phrase((f"{WHOLE}sunny{WHOLE}lof",)),))
    line = Words((Phrase(("sunny", "lof")),), in_lead=True)
    every = Words((Phrase(("sunny",)), Phrase(("lof",))))
    in_lead = Words(every.phrases, in_lead=True)
    assert found.tiers() == (
        Match(exact, (garden,)),
        Match(line, (exact, garden)),
        Match(in_lead, (line, garden)),
        Match(every, (in_lead, garden)),
    )
    assert found.match() == Match(every, (garden,))
    assert len(read_search("loft").tiers()) == 3
    assert len(read_search(" ".join(["long"] * 101)).tiers()) == 3, "too long to be the whole of a first text"
    assert read_search("-garden").tiers() == Search().tiers() == ()
