"""The product as tests get it: whole, on both databases."""

from sqlalchemy import text

from app.storage.database import db


def test_the_application_of_a_test_answers_on_its_own_database(app):
    answer = app.test_client().get("/health")

    assert (answer.status_code, answer.text) == (200, "ok\n")


def test_the_database_of_a_test_was_made_by_the_migrations(app):
    with app.app_context():
        version = db.session.execute(text("SELECT version_num FROM alembic_version")).scalar_one()

    assert version
