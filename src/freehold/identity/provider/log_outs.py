"""The end of a browser's log-in, told to every client that it was used for (OpenID Connect Back-Channel Logout)."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING
from urllib.parse import urlencode
from uuid import UUID

from freehold.identity.provider import consents
from freehold.identity.provider.clients import Clients
from freehold.identity.provider.families import Families
from freehold.identity.provider.id_tokens import IdTokens
from freehold.identity.provider.scopes import OFFLINE
from freehold.jobs import Backoff, Job, job, running
from freehold.traffic import Fetcher

if TYPE_CHECKING:
    from freehold.store.session import Session

TRIES = 8


class NotTaken(Exception):
    """The client did not say that it has logged the person out: it is asked again."""


class LogOuts:
    """Ends what hangs on a log-in, and owes each client a word of it: a `Follower` of the log-ins."""

    def __init__(self) -> None:
        told = job(
            "freehold.oauth.log_out",
            system="tell clients that a log-in has ended",
            outside=True,
            retries=TRIES,
            backoff=Backoff(first=timedelta(seconds=2), factor=4.0, longest=timedelta(hours=1)),
        )
        self.job: Job[...] = told(self._tell)

    def bind(self, clients: Clients, families: Families, id_tokens: IdTokens) -> None:
        """The parts that it works with."""
        self._clients, self._families, self._id_tokens = clients, families, id_tokens

    async def ended(self, session: Session, session_id: UUID) -> None:
        """End what was given by way of a log-in (save what is for when the person is away); owe each client a word."""
        login_id = session_id
        rows = await self._families.end_of_login(session, login_id, keeps=OFFLINE)
        for client_id, user_id in sorted({(row.client_id, row.user_id) for row in rows}):
            client = await self._clients.find(session, client_id)
            if client is not None and client.back_channel_logout_uri is not None:
                ids = {"client_id": client_id, "user_id": user_id, "login_id": login_id}
                await self.job.enqueue(session, **ids)

    async def forgotten(self, session: Session, user_id: UUID) -> None:
        """What a person allowed goes with them."""
        await consents.forget(session, user_id)

    async def _tell(self, db: Session, *, client_id: UUID, user_id: UUID, login_id: UUID) -> None:
        client = await self._clients.find(db, client_id)
        if client is None or client.back_channel_logout_uri is None:
            return
        token = await self._id_tokens.log_out_token(client_id=client_id, user_id=user_id, login_id=login_id)
        answer = (
            await running()
            .part(Fetcher)
            .fetch(
                client.back_channel_logout_uri,
                method="POST",
                headers={"Content-Type": "application/x-www-form-urlencoded"},
                content=urlencode({"logout_token": token}).encode(),
                limit_bytes=0,
            )
        )
        if answer.status not in (200, 204):
            raise NotTaken(f"status {answer.status}")
