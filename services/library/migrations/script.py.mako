"""${message}

Revision: ${up_revision}
Revises: ${(down_revision or "nothing") | comma,n}
Created: ${create_date}
"""

import sqlalchemy as sa
from alembic import op
% if imports:

${imports}
% endif

revision = ${repr(up_revision)}
down_revision = ${repr(down_revision)}
branch_labels = ${repr(branch_labels)}
depends_on = ${repr(depends_on)}


def upgrade() -> None:
    """Apply."""
    ${upgrades if upgrades else "pass"}


def downgrade() -> None:
    """Take back."""
    ${downgrades if downgrades else "pass"}
