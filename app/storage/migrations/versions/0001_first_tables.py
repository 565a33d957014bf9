"""First tables; the ledger and the notices refuse UPDATE and DELETE in the database itself."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


APPEND_ONLY = ("consent_event", "notice")


def upgrade() -> None:
    _create_tables()
    for table in APPEND_ONLY:
        _refuse_changes(table)


def _refuse_changes(table: str) -> None:
    if op.get_bind().dialect.name == "sqlite":
        for verb in ("UPDATE", "DELETE"):
            op.execute(
                f"CREATE TRIGGER {table}_no_{verb.lower()} BEFORE {verb} ON {table} "
                f"BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END"
            )
        return
    op.execute(
        "CREATE OR REPLACE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN RAISE EXCEPTION '% is append-only', TG_TABLE_NAME; END $$"
    )
    op.execute(
        f"CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON {table} "
        "FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
    )


def _create_tables() -> None:
    op.create_table(
        "audit_entry",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("actor", sa.String(length=120), nullable=False),
        sa.Column("action", sa.String(length=60), nullable=False),
        sa.Column("subject", sa.String(length=120), nullable=False),
        sa.Column("details", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit_entry")),
    )
    op.create_index(op.f("ix_audit_entry_at"), "audit_entry", ["at"], unique=False)

    op.create_table(
        "consent_event",
        sa.Column("event_id", sa.String(length=36), nullable=False),
        sa.Column("v", sa.Integer(), nullable=False),
        sa.Column("ledger", sa.String(length=40), nullable=False),
        sa.Column("seq", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("subject_ref", sa.String(length=36), nullable=False),
        sa.Column("event_type", sa.String(length=30), nullable=False),
        sa.Column("occurred_at", sa.String(length=24), nullable=False),
        sa.Column("recorded_at", sa.String(length=24), nullable=False),
        sa.Column("channel", sa.String(length=20), nullable=False),
        sa.Column("provider", sa.String(length=30), nullable=True),
        sa.Column("sender_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("list_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("purpose", sa.String(length=300), nullable=True),
        sa.Column("consent_type", sa.String(length=30), nullable=True),
        sa.Column("legal_basis", sa.String(length=30), nullable=True),
        sa.Column("scope", sa.String(length=8), nullable=False),
        sa.Column("notice_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("notice_version", sa.Integer(), nullable=True),
        sa.Column("notice_lang", sa.String(length=8), nullable=True),
        sa.Column("notice_sha256", sa.String(length=64), nullable=True),
        sa.Column("cta_ref", sa.String(length=200), nullable=True),
        sa.Column("act", sa.String(length=20), nullable=True),
        sa.Column("matcher_version", sa.String(length=20), nullable=True),
        sa.Column("matched_rule", sa.String(length=60), nullable=True),
        sa.Column("tier", sa.String(length=20), nullable=True),
        sa.Column("question_event_id", sa.String(length=36), nullable=True),
        sa.Column("controller_name", sa.String(length=100), nullable=True),
        sa.Column("controller_contact", sa.String(length=200), nullable=True),
        sa.Column("jurisdiction", sa.String(length=10), nullable=True),
        sa.Column("jurisdiction_basis", sa.String(length=20), nullable=True),
        sa.Column("age_assertion", sa.String(length=30), nullable=True),
        sa.Column("actor", sa.String(length=120), nullable=False),
        sa.Column("reply_template", sa.String(length=30), nullable=True),
        sa.Column("reply_skipped_reason", sa.String(length=30), nullable=True),
        sa.Column("stale_at", sa.String(length=24), nullable=True),
        sa.Column("retain_until", sa.String(length=24), nullable=True),
        sa.Column("related_event_id", sa.String(length=36), nullable=True),
        sa.Column("pii_commit", sa.String(length=64), nullable=True),
        sa.Column("prev_hash", sa.String(length=64), nullable=False),
        sa.Column("entry_hash", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("event_id", name=op.f("pk_consent_event")),
        sa.UniqueConstraint("ledger", "seq", name=op.f("uq_consent_event_ledger_seq")),
    )
    op.create_index("ix_consent_event_subject_ref", "consent_event", ["subject_ref", "seq"], unique=False)

    op.create_table(
        "delivery",
        sa.Column(
            "broadcast_id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=False,
            nullable=False,
        ),
        sa.Column(
            "subscriber_id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=False,
            nullable=False,
        ),
        sa.Column(
            "inbound_id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=False,
            nullable=False,
        ),
        sa.Column("slice", sa.Integer(), nullable=True),
        sa.Column("status", sa.SmallInteger(), nullable=False),
        sa.Column("attempts", sa.SmallInteger(), nullable=False),
        sa.Column("reason", sa.String(length=30), nullable=True),
        sa.Column("error_code", sa.String(length=20), nullable=True),
        sa.Column("consent_seq", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("provider_id", sa.String(length=64), nullable=True),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("broadcast_id", "subscriber_id", "inbound_id", name=op.f("pk_delivery")),
    )
    op.create_index(
        "ix_delivery_due_at",
        "delivery",
        ["due_at"],
        unique=False,
        postgresql_where=sa.text("status = 0 AND due_at IS NOT NULL"),
        sqlite_where=sa.text("status = 0 AND due_at IS NOT NULL"),
    )
    op.create_index("ix_delivery_slice", "delivery", ["slice", "broadcast_id", "status"], unique=False)
    op.create_index("ix_delivery_subscriber_id", "delivery", ["subscriber_id"], unique=False)

    op.create_table(
        "ledger_head",
        sa.Column("ledger", sa.String(length=40), nullable=False),
        sa.Column("seq", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("entry_hash", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("ledger", name=op.f("pk_ledger_head")),
    )
    op.create_table(
        "sender",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("name", sa.String(length=40), nullable=False),
        sa.Column("gateway", sa.String(length=30), nullable=False),
        sa.Column("channel", sa.String(length=20), nullable=False),
        sa.Column("address", sa.String(length=120), nullable=False),
        sa.Column("sealed_settings", sa.LargeBinary(), nullable=False),
        sa.Column("base_url", sa.String(length=300), nullable=True),
        sa.Column("rate", sa.Double(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("paused_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("paused_reason", sa.String(length=300), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sender")),
        sa.UniqueConstraint("name", name=op.f("uq_sender_name")),
    )
    op.create_table(
        "subject",
        sa.Column("subject_ref", sa.String(length=36), nullable=False),
        sa.Column("index_hmac", sa.String(length=64), nullable=False),
        sa.Column("wrapped_key", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("subject_ref", name=op.f("pk_subject")),
        sa.UniqueConstraint("index_hmac", name=op.f("uq_subject_index_hmac")),
    )
    op.create_table(
        "subscriber",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("channel", sa.String(length=20), nullable=False),
        sa.Column("address", sa.String(length=120), nullable=False),
        sa.Column("subject_ref", sa.String(length=36), nullable=False),
        sa.Column("language", sa.String(length=8), nullable=False),
        sa.Column("attributes", sa.JSON(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("blocked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("bounced_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("suppressed_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_subscriber")),
        sa.UniqueConstraint("channel", "address", name=op.f("uq_subscriber_channel_address")),
        sa.UniqueConstraint("subject_ref", name=op.f("uq_subscriber_subject_ref")),
    )
    op.create_table(
        "suppression",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("hmac", sa.String(length=64), nullable=False),
        sa.Column("scope", sa.String(length=8), nullable=False),
        sa.Column("reason", sa.String(length=40), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("lifted_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_suppression")),
    )
    op.create_index("ix_suppression_hmac", "suppression", ["hmac"], unique=False)

    op.create_table(
        "user_account",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("email", sa.String(length=254), nullable=False),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("password_hash", sa.String(length=255), nullable=False),
        sa.Column("role", sa.String(length=16), nullable=False),
        sa.Column("language", sa.String(length=8), nullable=False),
        sa.Column("session_epoch", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("disabled_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_user_account")),
        sa.UniqueConstraint("email", name=op.f("uq_user_account_email")),
    )
    op.create_table(
        "broadcast",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("title", sa.String(length=120), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("sender_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("zone", sa.String(length=60), nullable=False),
        sa.Column("next_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("fresh_minutes", sa.Integer(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("created_by", sa.String(length=120), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("as_of_seq", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("audience", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("state_by", sa.String(length=120), nullable=True),
        sa.Column("state_reason", sa.String(length=300), nullable=True),
        sa.Column("state_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["sender_id"], ["sender.id"], name=op.f("fk_broadcast_sender_id_sender")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_broadcast")),
    )
    op.create_index(op.f("ix_broadcast_sender_id"), "broadcast", ["sender_id"], unique=False)
    op.create_index("ix_broadcast_state_next_at", "broadcast", ["state", "next_at"], unique=False)
    op.create_index(
        "uq_broadcast_replies_sender",
        "broadcast",
        ["sender_id"],
        unique=True,
        postgresql_where=sa.text("state = 'replies'"),
        sqlite_where=sa.text("state = 'replies'"),
    )

    op.create_table(
        "broadcast_list",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("keyword", sa.String(length=40), nullable=False),
        sa.Column("purpose", sa.String(length=300), nullable=False),
        sa.Column("language", sa.String(length=8), nullable=False),
        sa.Column("max_per_day", sa.Integer(), nullable=False),
        sa.Column("from_hour", sa.Integer(), nullable=False),
        sa.Column("until_hour", sa.Integer(), nullable=False),
        sa.Column("zone", sa.String(length=60), nullable=False),
        sa.Column("sender_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("is_default", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("archived_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["sender_id"], ["sender.id"], name=op.f("fk_broadcast_list_sender_id_sender")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_broadcast_list")),
        sa.UniqueConstraint("keyword", name=op.f("uq_broadcast_list_keyword")),
        sa.UniqueConstraint("name", name=op.f("uq_broadcast_list_name")),
    )
    op.create_index(op.f("ix_broadcast_list_sender_id"), "broadcast_list", ["sender_id"], unique=False)

    op.create_table(
        "consent_pii",
        sa.Column("event_id", sa.String(length=36), nullable=False),
        sa.Column("salt", sa.LargeBinary(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["event_id"], ["consent_event.event_id"], name=op.f("fk_consent_pii_event_id_consent_event")
        ),
        sa.PrimaryKeyConstraint("event_id", name=op.f("pk_consent_pii")),
    )
    op.create_table(
        "inbound_message",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("sender_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("external_id", sa.String(length=64), nullable=False),
        sa.Column("subscriber_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("media_count", sa.Integer(), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("outcome", sa.String(length=20), nullable=False),
        sa.Column("tier", sa.String(length=20), nullable=False),
        sa.Column("rule", sa.String(length=60), nullable=False),
        sa.Column("matcher_version", sa.String(length=20), nullable=False),
        sa.Column("reply_kind", sa.String(length=30), nullable=True),
        sa.Column("reply_text", sa.Text(), nullable=True),
        sa.Column("reply_skipped", sa.String(length=30), nullable=True),
        sa.Column("read_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["sender_id"], ["sender.id"], name=op.f("fk_inbound_message_sender_id_sender")
        ),
        sa.ForeignKeyConstraint(
            ["subscriber_id"], ["subscriber.id"], name=op.f("fk_inbound_message_subscriber_id_subscriber")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_inbound_message")),
        sa.UniqueConstraint(
            "sender_id", "external_id", name=op.f("uq_inbound_message_sender_id_external_id")
        ),
    )
    op.create_index(
        "ix_inbound_message_subscriber_id", "inbound_message", ["subscriber_id", "received_at"], unique=False
    )

    op.create_table(
        "broadcast_target",
        sa.Column("broadcast_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("list_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.ForeignKeyConstraint(
            ["broadcast_id"], ["broadcast.id"], name=op.f("fk_broadcast_target_broadcast_id_broadcast")
        ),
        sa.ForeignKeyConstraint(
            ["list_id"], ["broadcast_list.id"], name=op.f("fk_broadcast_target_list_id_broadcast_list")
        ),
        sa.PrimaryKeyConstraint("broadcast_id", "list_id", name=op.f("pk_broadcast_target")),
    )
    op.create_table(
        "notice",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("list_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("language", sa.String(length=8), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["list_id"], ["broadcast_list.id"], name=op.f("fk_notice_list_id_broadcast_list")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_notice")),
        sa.UniqueConstraint(
            "list_id", "language", "version", name=op.f("uq_notice_list_id_language_version")
        ),
    )
    op.create_table(
        "slice",
        sa.Column("broadcast_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("lo", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("hi", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("state", sa.String(length=8), nullable=False),
        sa.Column("epoch", sa.Integer(), nullable=False),
        sa.Column("worker", sa.String(length=120), nullable=True),
        sa.Column("lease_until", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["broadcast_id"], ["broadcast.id"], name=op.f("fk_slice_broadcast_id_broadcast")
        ),
        sa.PrimaryKeyConstraint("broadcast_id", "seq", name=op.f("pk_slice")),
    )
    op.create_index("ix_slice_state", "slice", ["state", "broadcast_id", "seq"], unique=False)

    op.create_table(
        "subscription",
        sa.Column("list_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("subscriber_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("granted_seq", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("granted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("stopped_seq", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("stopped_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["list_id"], ["broadcast_list.id"], name=op.f("fk_subscription_list_id_broadcast_list")
        ),
        sa.ForeignKeyConstraint(
            ["subscriber_id"], ["subscriber.id"], name=op.f("fk_subscription_subscriber_id_subscriber")
        ),
        sa.PrimaryKeyConstraint("list_id", "subscriber_id", name=op.f("pk_subscription")),
    )
    op.create_index("ix_subscription_subscriber_id", "subscription", ["subscriber_id"], unique=False)


def downgrade() -> None:
    raise RuntimeError(
        "The first tables hold the consent ledger and are not dropped. Restore a backup instead."
    )
