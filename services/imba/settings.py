"""The settings of Imba, under `IMBA_`."""

from __future__ import annotations

from freehold.settings import ServiceSettings, by_environment


class ImbaSettings(ServiceSettings, prefix="IMBA_"):
    """What an operator may choose. Domain functions ask their session: `db.part(ImbaSettings)`."""

    require_verified_email: bool = by_environment(
        production=True, otherwise=False, description="Reserving and publishing need a verified e-mail address."
    )
