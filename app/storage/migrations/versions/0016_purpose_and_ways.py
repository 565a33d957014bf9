"""Since when a list is for what it is for, and whether a sender may write to people who did not write lately."""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

_BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.add_column("broadcast_list", sa.Column("purpose_since_seq", _BIG, nullable=False, server_default="0"))
    # The last consent to a purpose that is another today: whoever agreed later agreed to this one.
    op.execute(
        "UPDATE broadcast_list SET purpose_since_seq = coalesce((SELECT max(e.seq) FROM consent_event e "
        "WHERE e.list_id = broadcast_list.id AND e.event_type = 'consent_given' "
        "AND e.purpose <> broadcast_list.purpose), 0)"
    )
    # What a sender's sealed settings say nobody can read here: a template is believed in until the next rotation.
    op.add_column("sender", sa.Column("has_template", sa.Boolean(), nullable=False, server_default=sa.true()))


def downgrade() -> None:
    op.drop_column("sender", "has_template")
    op.drop_column("broadcast_list", "purpose_since_seq")
