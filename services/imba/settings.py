"""The settings of Imba, under `IMBA_`."""

from __future__ import annotations

from pydantic import Field

from freehold.settings import ServiceSettings, by_environment


class ImbaSettings(ServiceSettings, prefix="IMBA_"):
    """What an operator may choose. Domain functions ask their session: `db.part(ImbaSettings)`."""

    require_verified_email: bool = by_environment(
        production=True, otherwise=False, description="Reserving and publishing need a verified e-mail address."
    )
    require_factor: bool = by_environment(
        production=True,
        otherwise=False,
        description="Landlords publish, and reviewers and admins do anything at all, after a second factor alone.",
    )
    keep_documents_days: int = Field(
        90, ge=1, description="So many days after the decision the documents of a verification are deleted."
    )
    messages_per_hour: int = Field(60, ge=1, description="So many messages a person may send in an hour.")
