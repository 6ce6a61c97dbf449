"""Work that is owed: rows in the same database, written with their cause, run by any process, done once.

Here belong the declaration of jobs and schedules and the runner. What a job does belongs to the feature that declares
it. A broker may wake workers; the rows stay the truth.
"""

from freehold.jobs.announcing import Announcer
from freehold.jobs.backoff import Backoff
from freehold.jobs.carriage import Principals
from freehold.jobs.context import GiveUp, JobContext, current_job, progress, running
from freehold.jobs.dead_letters import DeadLetter, dead_letters, discard_dead, retry_dead
from freehold.jobs.declaration import Job, job, schedule
from freehold.jobs.queues import Queue
from freehold.jobs.reporting import JobCancelled
from freehold.jobs.runner import Jobs
from freehold.jobs.schedules import Schedule
from freehold.jobs.tables import JOBS
from freehold.jobs.tracks import JobRead, JobState, Progress
from freehold.jobs.waking import Broker, open_broker

__all__ = [
    "JOBS",
    "Announcer",
    "Backoff",
    "Broker",
    "DeadLetter",
    "GiveUp",
    "Job",
    "JobCancelled",
    "JobContext",
    "JobRead",
    "JobState",
    "Jobs",
    "Principals",
    "Progress",
    "Queue",
    "Schedule",
    "current_job",
    "dead_letters",
    "discard_dead",
    "job",
    "open_broker",
    "progress",
    "retry_dead",
    "running",
    "schedule",
]
