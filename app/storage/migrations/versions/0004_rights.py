"""People's rights: who was erased, proof under lock, retention rounds, and who wrote a notice."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_REQUESTS = "event_type IN ('erasure_requested', 'erased')"
_TEXTS = "text <> ''"
_ANSWERS = "reply_text IS NOT NULL"


def upgrade() -> None:
    op.add_column("notice", sa.Column("written_by", sa.String(length=120), nullable=True))
    op.create_table(
        "restricted_subject",
        sa.Column("subject_ref", sa.String(length=36), nullable=False),
        sa.Column("hmac", sa.String(length=64), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("subject_ref", name=op.f("pk_restricted_subject")),
    )
    op.create_index("ix_restricted_subject_hmac", "restricted_subject", ["hmac"])
    op.create_table(
        "purge_run",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("day", sa.String(length=10), nullable=True),
        sa.Column("by", sa.String(length=120), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("walked", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("counts", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_purge_run")),
        sa.UniqueConstraint("day", name=op.f("uq_purge_run_day")),
    )
    _partial("ix_consent_event_erasure", "consent_event", ["subject_ref", "seq"], _REQUESTS)
    _partial("ix_inbound_message_text_at", "inbound_message", ["received_at"], _TEXTS)
    _partial("ix_inbound_message_reply_at", "inbound_message", ["received_at"], _ANSWERS)


def _partial(name: str, table: str, columns: list[str], where: str) -> None:
    op.create_index(name, table, columns, postgresql_where=sa.text(where), sqlite_where=sa.text(where))


def downgrade() -> None:
    raise RuntimeError("What was erased cannot come back; restore a backup instead.")
