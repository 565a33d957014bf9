"""Tables and the few hand-tuned statements, for PostgreSQL (service) and SQLite (trial)."""
