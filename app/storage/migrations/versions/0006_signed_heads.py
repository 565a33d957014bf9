"""Signed heads of the ledger, entries that speak of the ledger itself, and no REPLACE past the guards of SQLite."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

# SQLite's REPLACE deletes a row without firing a trigger on DELETE, so what has a unique key needs one more guard.
SAME_ROW = {
    "consent_event": "event_id = NEW.event_id OR (ledger = NEW.ledger AND seq = NEW.seq)",
    "notice": "id = NEW.id OR (list_id = NEW.list_id AND language = NEW.language AND version = NEW.version)",
    "tree_head": "id = NEW.id OR (ledger = NEW.ledger AND signed_at = NEW.signed_at)",
}


def upgrade() -> None:
    op.add_column("consent_event", sa.Column("statement", sa.Text(), nullable=True))
    op.create_table(
        "tree_head",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("ledger", sa.String(length=40), nullable=False),
        sa.Column("tree_size", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("root", sa.String(length=64), nullable=False),
        sa.Column("signed_at", sa.String(length=24), nullable=False),
        sa.Column("public_key", sa.String(length=64), nullable=False),
        sa.Column("signature", sa.String(length=128), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tree_head")),
        sa.UniqueConstraint("ledger", "signed_at", name=op.f("uq_tree_head_ledger_signed_at")),
    )
    if op.get_bind().dialect.name == "sqlite":
        _refuse_on_sqlite()
    else:
        op.execute(
            "CREATE TRIGGER tree_head_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON tree_head "
            "FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
        )


def _refuse_on_sqlite() -> None:
    for verb in ("UPDATE", "DELETE"):
        op.execute(
            f"CREATE TRIGGER tree_head_no_{verb.lower()} BEFORE {verb} ON tree_head "
            "BEGIN SELECT RAISE(ABORT, 'tree_head is append-only'); END"
        )
    for table, same in SAME_ROW.items():
        op.execute(
            f"CREATE TRIGGER {table}_no_replace BEFORE INSERT ON {table} "  # noqa: S608
            f"WHEN EXISTS (SELECT 1 FROM {table} WHERE {same}) "
            f"BEGIN SELECT RAISE(ABORT, '{table} is append-only: this row is there already'); END"
        )


def downgrade() -> None:
    raise RuntimeError("Signed heads are evidence and are not dropped. Restore a backup instead.")
