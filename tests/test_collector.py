"""The collector stands still while modules load, and is as it was afterwards."""

from __future__ import annotations

import gc

import pytest

from freehold.collector import paused


def _loading(*, fails: bool) -> list[bool]:
    found: list[bool] = []
    with paused():
        found.append(gc.isenabled())
        if fails:
            raise ImportError
    return [*found, gc.isenabled()]


def test_it_stands_still_inside_and_goes_on_after_whatever_happens() -> None:
    assert _loading(fails=False) == [False, True]
    with pytest.raises(ImportError):
        _loading(fails=True)
    assert gc.isenabled()


def test_where_it_was_off_it_stays_off() -> None:
    gc.disable()
    try:
        assert _loading(fails=False) == [False, False]
    finally:
        gc.enable()


def test_what_stays_for_good_is_looked_at_no_more() -> None:
    before = gc.get_freeze_count()
    with paused(for_good=True):
        kept = [[]]
    assert gc.get_freeze_count() > before
    assert gc.isenabled()
    assert kept == [[]]


def test_what_was_loaded_is_not_walked_through_by_the_next_collection() -> None:
    gc.unfreeze()
    before = gc.get_stats()
    with paused():
        kept = [[number] for number in range(5_000)]
    old = {id(each) for each in gc.get_objects(generation=2)}
    assert all(id(each) in old for each in kept)
    assert gc.get_stats()[2]["collections"] == before[2]["collections"], "it was not found out by walking"
