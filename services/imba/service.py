"""Imba, put together. Composition only: the features are in their folders."""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager
from typing import Any

from freehold import Freehold, Identity
from freehold.identity import Pages, PasswordPolicy, Paths, Provider
from freehold.settings import Settings
from freehold.traffic import Limits, per_minute
from freehold.wording import phrase

from . import landing
from .blocks.routes import blocks
from .calendars.jobs import sync_calendar, sync_due_calendars
from .calendars.routes import calendars
from .calendars.routes import router as calendar_feeds
from .dashboard import routes as dashboard
from .favourites import routes as favourites
from .mandates.routes import mandates
from .media.routes import media
from .messages import routes as messages
from .notices import crud as telling
from .notices import routes as notices
from .properties.routes import properties
from .reports.routes import reports
from .reservations.jobs import expire_holds
from .reservations.routes import reservations
from .reviews.jobs import publish_reviews
from .reviews.routes import reviews
from .searches import routes as searches
from .searches.jobs import search_alerts
from .settings import ImbaSettings
from .users import registration
from .users.models import User
from .users.schemas import ProfileChange, Registration, UserProfile
from .verification import jobs as verification_jobs
from .verification.routes import verification_requests
from .views.crud import Views
from .web import serving as client
from .webhooks import webhooks
from .wording import CATALOGUES, LANGUAGES


def build(
    *, core: Settings | None = None, own: ImbaSettings | None = None, migrations: str | None = "migrations"
) -> Freehold:
    """The application. core, own: Freehold's settings and Imba's, read from the environment where not given.

    migrations: the folder of the history; None lets the app create its tables by itself, as tests do.
    Raises ConfigurationError for a wrong setting.
    """
    own = own or ImbaSettings.load()
    app = Freehold(
        properties,
        blocks,
        calendars,
        reservations,
        verification_requests,
        reviews,
        searches.saved_searches,
        favourites.favourites,
        messages.threads,
        messages.messages,
        messages.blocked_people,
        reports,
        mandates,
        notices.notices,
        notices.notice_preferences,
        title="Imba",
        description="Landlords list properties, a reviewer verifies them, tenants hold and book stays.",
        license_info={"name": "MIT", "identifier": "MIT"},
        leave_mail=telling.leave,
        media=media,
        webhooks=webhooks,
        limits=Limits(read=per_minute(1200), write=per_minute(240)),
        identity=Identity(
            user=User,
            create=Registration,
            update=ProfileChange,
            read=UserProfile,
            languages=LANGUAGES,
            roles=("tenant", "landlord", "agent", "reviewer", "admin"),
            staff_roles=("reviewer", "admin"),
            factor_required_for=("reviewer", "admin") if own.require_factor else (),
            on_register=registration.give_role,
            on_export=registration.export,
            on_erase=registration.erase,
            policy=PasswordPolicy(service_name="Imba"),
            pages=Pages(color="#1f5c4d", home="/app", labels=registration.LABELS, words=CATALOGUES),
            paths=Paths(verification="/app/verify-email", reset="/app/reset-password"),
            provider=Provider(scopes={"stays:read": phrase("See your stays and visits")}),
        ),
        routers=[
            landing.router,
            notices.router,
            favourites.router,
            messages.router,
            searches.router,
            dashboard.router,
            client.router,
            calendar_feeds,
        ],
        jobs=[
            expire_holds,
            publish_reviews,
            search_alerts,
            sync_calendar,
            sync_due_calendars,
            verification_jobs.warn_of_expiry,
            verification_jobs.expire_approvals,
            verification_jobs.close_unanswered,
            verification_jobs.redact_documents,
        ],
        settings=core,
        migrations=migrations,
        lifespan=_counting,
    )
    app.database.parts[Views] = Views()
    app.database.parts[Settings] = app.settings
    app.database.parts[ImbaSettings] = own
    return app


def _counting(app: Any) -> AbstractAsyncContextManager[None]:
    """Views are written while it runs."""
    views: Views = app.database.parts[Views]
    return views.running(app.database)
