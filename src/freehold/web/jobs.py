"""Following a job over HTTP: 202 with a status address, the status itself, and its cancellation."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from inspect import getclosurevars, unwrap
from typing import Any
from uuid import UUID

from fastapi import Request
from starlette.responses import Response

from freehold.errors import ConfigurationError, NotFound
from freehold.jobs import Job, JobRead, Jobs
from freehold.jobs import tracks as stored
from freehold.jobs.tracks import JobEnded, JobState
from freehold.resource.access import anyone, signed_in
from freehold.resource.declaration import Resource
from freehold.resource.principal import Principal
from freehold.store.session import Session
from freehold.web.preconditions import entity_tag, not_modified
from freehold.web.unit import Caller, Db, Router, allow

JSON = "application/json"
_RETRY_AFTER = {"Retry-After": "1"}
_UNCHANGED: dict[int | str, dict[str, Any]] = {304: {"description": "Not modified"}}
_ENDED: dict[int | str, dict[str, Any]] = {409: {"description": "It has ended"}}


def require_followable(resources: Iterable[Resource], jobs: Jobs) -> None:
    """Raise ConfigurationError for an action with status 202 that begins a job which nobody can follow.

    Seen are the jobs that its function names itself; a job that it reaches otherwise is refused when it is begun.
    """
    for resource in resources:
        for action in resource.actions:
            if action.status != 202:
                continue
            named = [each for each in _names(action.function) if isinstance(each, Job)]
            if any(each.tracked for each in named) or (not named and jobs.tracked):
                continue
            begun = ", ".join(repr(each.name) for each in named) or "its job, and none of jobs=[...] can be followed"
            raise ConfigurationError(
                f"resource {resource.name!r}: the action {action.name!r} answers 202 with a status address, but begins "
                f"{begun}: declare the job with @job(..., tracked=True), or the action without status=202"
            )


def _names(function: Callable[..., Any]) -> Iterable[Any]:
    found = getclosurevars(unwrap(function))
    return (*found.globals.values(), *found.nonlocals.values())


async def accepted(db: Session, job_id: UUID, *, path: str = "/v1/jobs") -> Response:
    """202 for a tracked job that this unit has enqueued: its status address and how it stands.

    path: where `jobs_router` is mounted. Raises LookupError for a job that was not declared with `tracked=True`.
    """
    found = await stored.find(db, job_id)
    if found is None:
        raise LookupError("this job cannot be followed: declare it with @job(..., tracked=True)")
    headers = {"Location": f"{path}/{job_id}", **_RETRY_AFTER}
    return Response(found[0].model_dump_json(), 202, headers=headers, media_type=JSON)


def jobs_router(jobs: Jobs, *, prefix: str = "/v1") -> Router:
    """`GET {prefix}/jobs/{id}` and `POST …/cancellation`, for who enqueued the job and for the readers it names.

    An application of Freehold has it as soon as one of its jobs is tracked; another one includes it by hand.
    """
    router = Router(prefix=f"{prefix}/jobs", tags=["jobs"])

    @router.get(
        "/{job_id}", response_model=JobRead, responses=_UNCHANGED, operation_id="get_job", summary="Get a job",
        dependencies=[allow(signed_in)],
    )  # fmt: skip
    async def status(request: Request, job_id: str, db: Db, caller: Caller) -> Response:
        found = _as_running(jobs, await _find(db, job_id, caller, jobs.tracked))
        body = found.model_dump_json().encode()
        tag = entity_tag(0, body)
        headers = {"ETag": tag, "Cache-Control": "private, no-cache"}
        if not found.has_ended:
            headers |= _RETRY_AFTER
        if not_modified(request.headers, tag):
            return Response(status_code=304, headers=headers)
        return Response(body, headers=headers, media_type=JSON)

    @router.post(
        "/{job_id}/cancellation", response_model=JobRead, responses=_ENDED, operation_id="job_cancellation",
        summary="Cancel a job", description="A waiting job never runs; a running one is asked to stop.",
        dependencies=[allow(signed_in)],
    )  # fmt: skip
    async def cancellation(job_id: str, db: Db, caller: Caller) -> Response:
        found = await _find(db, job_id, caller, jobs.tracked)
        if found.state is not JobState.CANCELLED and not await stored.cancel(db, found.id):
            raise JobEnded("The job has ended, and cannot be cancelled any more.")
        return Response((await _find(db, job_id, caller, jobs.tracked)).model_dump_json(), media_type=JSON)

    return router


async def _find(db: Session, job_id: str, caller: Principal, known: Mapping[str, Job[Any]]) -> JobRead:
    """The job, for those who may follow it; NotFound for all others, as for one that never was."""
    try:
        key = UUID(job_id)
    except ValueError:
        raise NotFound from None
    found = await stored.find(db, key)
    if found is None:
        raise NotFound
    shown, owner = found
    if (owner is None or owner != caller.id) and not _is_reader(known.get(shown.name), caller):
        raise NotFound
    return shown


def _is_reader(job: Job[Any] | None, caller: Principal) -> bool:
    return job is not None and job.readers.simplify(caller) == anyone


def _as_running(jobs: Jobs, found: JobRead) -> JobRead:
    """With what the job said last, where this process alone knows it (SQLite: one process runs and serves)."""
    if jobs.database.dialect_name != "sqlite" or found.state is not JobState.RUNNING:
        return found
    said = jobs.said_here(found.id)
    return found if said is None else found.model_copy(update={"progress": said})
