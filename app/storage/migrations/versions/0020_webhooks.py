"""Signed posts of providers, kept sealed for some days."""

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None

_BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_FEW = {"ix_webhook_problem": "what IN ('malformed', 'fault')", "ix_webhook_nobody": "people = 0"}


def upgrade() -> None:
    op.create_table(
        "webhook",
        sa.Column("id", _BIG, autoincrement=False, nullable=False),
        sa.Column("sender_id", _BIG, nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("people", sa.Integer(), nullable=False),
        sa.Column("what", sa.String(length=10), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["sender_id"], ["sender.id"], name=op.f("fk_webhook_sender_id_sender")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_webhook")),
    )
    for name, condition in _FEW.items():
        where = sa.text(condition)
        op.create_index(name, "webhook", ["id"], postgresql_where=where, sqlite_where=where)
    op.create_table(
        "webhook_person",
        sa.Column("subscriber_id", _BIG, autoincrement=False, nullable=False),
        sa.Column("webhook_id", _BIG, autoincrement=False, nullable=False),
        sa.ForeignKeyConstraint(
            ["webhook_id"],
            ["webhook.id"],
            name=op.f("fk_webhook_person_webhook_id_webhook"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("subscriber_id", "webhook_id", name=op.f("pk_webhook_person")),
    )
    op.create_index(op.f("ix_webhook_person_webhook_id"), "webhook_person", ["webhook_id"])


def downgrade() -> None:
    op.drop_table("webhook_person")
    op.drop_table("webhook")
