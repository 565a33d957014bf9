"""Files that go with broadcasts, and what providers call them."""

import sqlalchemy as sa
from alembic import op

revision = "0026"
down_revision = "0025"
branch_labels = None
depends_on = None

_BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "media_file",
        sa.Column("id", _BIG, nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("mime", sa.String(length=40), nullable=False),
        sa.Column("size", _BIG, nullable=False),
        sa.Column("seconds", sa.Float(), nullable=True),
        sa.Column("created_by", sa.String(length=120), nullable=False),
        sa.Column("created_at", _MOMENT, nullable=False),
        sa.Column("removed_at", _MOMENT, nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_media_file")),
        sa.UniqueConstraint("sha256", name=op.f("uq_media_file_sha256")),
    )
    op.create_table(
        "broadcast_media",
        sa.Column("broadcast_id", _BIG, nullable=False),
        sa.Column("channel", sa.String(length=20), nullable=False),
        sa.Column("media_id", _BIG, nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("alt", sa.String(length=300), nullable=False),
        sa.Column("otherwise", sa.String(length=8), nullable=False),
        sa.ForeignKeyConstraint(
            ["broadcast_id"], ["broadcast.id"], name=op.f("fk_broadcast_media_broadcast_id_broadcast")
        ),
        sa.ForeignKeyConstraint(
            ["media_id"], ["media_file.id"], name=op.f("fk_broadcast_media_media_id_media_file")
        ),
        sa.PrimaryKeyConstraint("broadcast_id", "channel", name=op.f("pk_broadcast_media")),
    )
    op.create_index(op.f("ix_broadcast_media_media_id"), "broadcast_media", ["media_id"])
    op.create_table(
        "media_upload",
        sa.Column("sender_id", _BIG, nullable=False),
        sa.Column("media_id", _BIG, nullable=False),
        sa.Column("handle", sa.String(length=500), nullable=True),
        sa.Column("good_until", _MOMENT, nullable=True),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("tried_at", _MOMENT, nullable=True),
        sa.Column("problem", sa.String(length=300), nullable=True),
        sa.ForeignKeyConstraint(
            ["media_id"], ["media_file.id"], name=op.f("fk_media_upload_media_id_media_file")
        ),
        sa.ForeignKeyConstraint(["sender_id"], ["sender.id"], name=op.f("fk_media_upload_sender_id_sender")),
        sa.PrimaryKeyConstraint("sender_id", "media_id", name=op.f("pk_media_upload")),
    )
    op.add_column(
        "sender", sa.Column("template_file", sa.String(length=10), nullable=False, server_default="")
    )
    op.add_column("inbox_message", sa.Column("media", sa.JSON(), nullable=True))


def downgrade() -> None:
    op.drop_column("inbox_message", "media")
    op.drop_column("sender", "template_file")
    op.drop_table("media_upload")
    op.drop_table("broadcast_media")
    op.drop_table("media_file")
