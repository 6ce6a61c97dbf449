"""Z02, Z03: two organisations in one service do not learn of each other; the proof catches rules that are too wide."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from tests.web.office import PROJECT, build, scene

from freehold import Freehold, member, signed_in
from freehold.testing import Interference, non_interference

pytestmark = [pytest.mark.anyio, pytest.mark.slow]


def office(folder: Path, **more: object) -> Freehold:
    return build(folder, f"sqlite+aiosqlite:///{folder}/office.db", **more)  # type: ignore[arg-type]


async def test_Z03_what_one_organisation_has_makes_no_difference_to_another(tmp_path: Path) -> None:
    done = await non_interference(office(tmp_path), scene)
    assert done.requests > 150
    assert done.statuses[200] > 40
    assert done.statuses[404] > 20
    assert max(done.statuses) < 500


@pytest.mark.long
async def test_Z03_a_rule_for_members_of_any_organisation_is_caught(tmp_path: Path) -> None:
    wide = replace(PROJECT, read=member("organisation_id") | signed_in)
    with pytest.raises(Interference, match="/v1/projects"):
        await non_interference(office(tmp_path, project=wide), scene, give_up_after=1)
