"""Rules by which a broadcast repeats, and what became of each occurrence."""

import sqlalchemy as sa
from alembic import op

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None

_BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "repeat_rule",
        sa.Column("id", _BIG, nullable=False),
        sa.Column("template_id", _BIG, nullable=False),
        sa.Column("dtstart", sa.String(length=15), nullable=False),
        sa.Column("rrule", sa.String(length=120), nullable=False),
        sa.Column("zone", sa.String(length=60), nullable=False),
        sa.Column("state", sa.String(length=8), nullable=False),
        sa.Column("next_at", _MOMENT, nullable=True),
        sa.Column("created_by", sa.String(length=120), nullable=False),
        sa.Column("created_at", _MOMENT, nullable=False),
        sa.Column("state_by", sa.String(length=120), nullable=True),
        sa.Column("state_at", _MOMENT, nullable=True),
        sa.ForeignKeyConstraint(
            ["template_id"], ["broadcast.id"], name=op.f("fk_repeat_rule_template_id_broadcast")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_repeat_rule")),
    )
    op.create_index("ix_repeat_rule_next_at", "repeat_rule", ["next_at"])
    op.create_index(op.f("ix_repeat_rule_template_id"), "repeat_rule", ["template_id"])
    op.create_table(
        "repeat_run",
        sa.Column("rule_id", _BIG, nullable=False),
        sa.Column("occurs_at", _MOMENT, nullable=False),
        sa.Column("state", sa.String(length=8), nullable=False),
        sa.Column("broadcast_id", _BIG, nullable=True),
        sa.Column("problem", sa.Text(), nullable=True),
        sa.Column("by", sa.String(length=120), nullable=False),
        sa.Column("at", _MOMENT, nullable=False),
        sa.ForeignKeyConstraint(
            ["broadcast_id"], ["broadcast.id"], name=op.f("fk_repeat_run_broadcast_id_broadcast")
        ),
        sa.ForeignKeyConstraint(
            ["rule_id"], ["repeat_rule.id"], name=op.f("fk_repeat_run_rule_id_repeat_rule")
        ),
        sa.PrimaryKeyConstraint("rule_id", "occurs_at", name=op.f("pk_repeat_run")),
    )
    op.create_index(op.f("ix_repeat_run_broadcast_id"), "repeat_run", ["broadcast_id"])


def downgrade() -> None:
    op.drop_table("repeat_run")
    op.drop_table("repeat_rule")
