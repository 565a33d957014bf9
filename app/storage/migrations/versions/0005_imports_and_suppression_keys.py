"""Imports that go on after a crash; which key each suppression was made with."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

_BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.add_column(
        "suppression", sa.Column("key_version", sa.Integer(), nullable=False, server_default=sa.text("1"))
    )
    op.create_table(
        "import_run",
        sa.Column("id", _BIG, nullable=False),
        sa.Column("list_id", _BIG, nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("file_name", sa.String(length=200), nullable=False),
        sa.Column("file_sha256", sa.String(length=64), nullable=False),
        sa.Column("file_lines", sa.Integer(), nullable=False),
        sa.Column("fingerprint", sa.String(length=64), nullable=False),
        sa.Column("choices", sa.JSON(), nullable=False),
        sa.Column("actor", sa.String(length=120), nullable=False),
        sa.Column("done_rows", sa.Integer(), nullable=False),
        sa.Column("done_line", sa.Integer(), nullable=False),
        sa.Column("counts", sa.JSON(), nullable=False),
        sa.Column("problem", sa.String(length=500), nullable=True),
        sa.Column("stored_as", sa.String(length=80), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["list_id"], ["broadcast_list.id"], name=op.f("fk_import_run_list_id_broadcast_list")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_import_run")),
    )
    op.create_index("ix_import_run_state", "import_run", ["state", "updated_at"], unique=False)
    op.create_index(op.f("ix_import_run_fingerprint"), "import_run", ["fingerprint"], unique=False)
    op.create_table(
        "import_refusal",
        sa.Column("import_id", _BIG, nullable=False),
        sa.Column("row_number", sa.Integer(), nullable=False),
        sa.Column("verdict", sa.String(length=16), nullable=False),
        sa.ForeignKeyConstraint(
            ["import_id"], ["import_run.id"], name=op.f("fk_import_refusal_import_id_import_run")
        ),
        sa.PrimaryKeyConstraint("import_id", "row_number", name=op.f("pk_import_refusal")),
    )


def downgrade() -> None:
    op.drop_table("import_refusal")
    op.drop_table("import_run")
    op.drop_column("suppression", "key_version")
