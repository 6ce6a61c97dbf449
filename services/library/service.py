"""Library, put together. Composition only: the features are in their folders."""

from __future__ import annotations

from freehold import Freehold, Identity
from freehold.identity import PasswordPolicy
from freehold.settings import Settings

from .books.routes import books
from .copies.routes import copies
from .desk import routes as desk
from .fines.routes import fines, payments
from .holds.jobs import expire_holds
from .holds.routes import holds
from .libraries.routes import closed_days, libraries
from .loans import jobs as loan_jobs
from .loans.routes import loans
from .notices.routes import notices
from .patrons.routes import patrons
from .reports import routes as reports
from .rules.routes import rules
from .settings import LibrarySettings
from .users import registration
from .users.models import User
from .users.schemas import ProfileChange, Registration, UserProfile
from .wording import LANGUAGES


def build(
    *, core: Settings | None = None, own: LibrarySettings | None = None, migrations: str | None = "migrations"
) -> Freehold:
    """The application. core, own: Freehold's settings and Library's, read from the environment where not given.

    migrations: the folder of the history; None lets the app create its tables by itself, as tests do.
    Raises ConfigurationError for a wrong setting.
    """
    app = Freehold(
        books,
        copies,
        libraries,
        closed_days,
        rules,
        patrons,
        loans,
        holds,
        fines,
        payments,
        notices,
        title="Library",
        description="Patrons borrow, renew and hold what a library has; librarians run its desk.",
        license_info={"name": "MIT", "identifier": "MIT"},
        identity=Identity(
            user=User,
            create=Registration,
            update=ProfileChange,
            read=UserProfile,
            languages=LANGUAGES,
            roles=("patron", "librarian"),
            staff_roles=("librarian",),
            on_register=registration.welcome,
            on_export=registration.export,
            on_erase=registration.erase,
            policy=PasswordPolicy(service_name="Library"),
        ),
        routers=[desk.router, reports.router],
        jobs=[
            expire_holds,
            loan_jobs.charge_fines,
            loan_jobs.remind,
            loan_jobs.renew_by_itself,
            loan_jobs.forget,
        ],
        settings=core,
        migrations=migrations,
    )
    app.database.parts[Settings] = app.settings
    app.database.parts[LibrarySettings] = own or LibrarySettings.load()
    return app
