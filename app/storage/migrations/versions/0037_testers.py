"""Tests of drafts: the addresses that they go to, and broadcasts that are one."""

import sqlalchemy as sa
from alembic import op

revision = "0037"
down_revision = "0036"
branch_labels = None
depends_on = None

_BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "tester",
        sa.Column("id", _BIG, nullable=False),
        sa.Column("user_id", _BIG, nullable=False),
        sa.Column("code", sa.String(length=20), nullable=True),
        sa.Column("code_until", _MOMENT, nullable=True),
        sa.Column("subscriber_id", _BIG, nullable=True),
        sa.Column("granted_seq", _BIG, nullable=True),
        sa.Column("verified_at", _MOMENT, nullable=True),
        sa.Column("created_at", _MOMENT, nullable=False),
        sa.ForeignKeyConstraint(
            ["subscriber_id"], ["subscriber.id"], name=op.f("fk_tester_subscriber_id_subscriber")
        ),
        sa.ForeignKeyConstraint(
            ["user_id"], ["user_account.id"], name=op.f("fk_tester_user_id_user_account")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tester")),
        sa.UniqueConstraint("code", name=op.f("uq_tester_code")),
    )
    op.create_index("ix_tester_user_id", "tester", ["user_id"])
    op.create_index("ix_tester_subscriber_id", "tester", ["subscriber_id"])
    with op.batch_alter_table("broadcast") as table:
        table.add_column(sa.Column("tests_id", _BIG, nullable=True))
        table.create_foreign_key(op.f("fk_broadcast_tests_id_broadcast"), "broadcast", ["tests_id"], ["id"])
    op.create_index(
        "ix_broadcast_tests_id",
        "broadcast",
        ["tests_id"],
        postgresql_where=sa.text("tests_id IS NOT NULL"),
        sqlite_where=sa.text("tests_id IS NOT NULL"),
    )


def downgrade() -> None:
    op.drop_index("ix_broadcast_tests_id", table_name="broadcast")
    with op.batch_alter_table("broadcast") as table:
        table.drop_constraint(op.f("fk_broadcast_tests_id_broadcast"), type_="foreignkey")
        table.drop_column("tests_id")
    op.drop_index("ix_tester_subscriber_id", table_name="tester")
    op.drop_index("ix_tester_user_id", table_name="tester")
    op.drop_table("tester")
