"""What the platforms told last about our senders."""

import sqlalchemy as sa
from alembic import op

revision = "0047"
down_revision = "0046"
branch_labels = None
depends_on = None

_BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "sender_news",
        sa.Column("sender_id", _BIG, nullable=False),
        sa.Column("subject", sa.String(560), nullable=False),
        sa.Column("news", sa.String(20), nullable=False),
        sa.Column("why", sa.String(200), nullable=False),
        sa.Column("usual", sa.Boolean(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["sender_id"], ["sender.id"], name=op.f("fk_sender_news_sender_id_sender")),
        sa.PrimaryKeyConstraint("sender_id", "subject", name=op.f("pk_sender_news")),
    )


def downgrade() -> None:
    op.drop_table("sender_news")
