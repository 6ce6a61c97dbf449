"""The scene of the sample service: whose is what, and who may not know of it."""

from __future__ import annotations

from uuid import UUID

from tests.testing.sample import Folder, Note

from freehold import Principal
from freehold.testing.scene import Scene
from freehold.testing.stage import Stage

ME, THEM, AUDITOR, STRANGER = (UUID(int=number) for number in (1, 2, 3, 4))
CALLERS = {
    "me": Principal(id=ME, roles=frozenset({"member"})),
    "them": Principal(id=THEM),
    "auditor": Principal(id=AUDITOR, roles=frozenset({"auditor"})),
    "stranger": Principal(id=STRANGER),
}


async def seed(stage: Stage) -> Scene:
    """Two people, a shared folder, a vault."""
    mine = await stage.make(Folder, owner_id=ME, name="mine")
    vault = await stage.make(Folder, owner_id=THEM, name="vault")
    await stage.make(Note, owner_id=ME, folder_id=mine.id, title="porridge", text="oats and water", score=3)
    news = await stage.make(
        Note, owner_id=THEM, folder_id=mine.id, title="news", text="published words", state="published", score=5,
        memo="their memo",
    )  # fmt: skip
    plan = await stage.make(
        Note, owner_id=THEM, folder_id=vault.id, title="plan", text="hidden treasure", state="sealed", score=9,
        memo="under the oak",
    )  # fmt: skip
    return Scene(
        callers=CALLERS,
        secrets={"me": [vault, plan]},
        cells={"me": [(news, "memo")]},
    )


async def full_seed(stage: Stage) -> Scene:
    """The same, with secrets for each of them."""
    scene = await seed(stage)
    vault, plan = scene.secrets["me"]
    lent = await stage.make(Note, owner_id=ME, folder_id=vault.id, title="lent", text="in their vault", score=1)
    drawer = await stage.make(Folder, owner_id=ME, name="drawer")
    diary = await stage.make(Note, owner_id=ME, folder_id=drawer.id, title="diary", text="dear diary", score=7)
    return Scene(
        callers=CALLERS,
        secrets={"me": [plan], "them": [drawer, diary], "nobody": [vault, plan, lent, drawer, diary]},
        cells={"me": [*scene.cells["me"], (vault, "name")], "auditor": [(plan, "memo")]},
    )
