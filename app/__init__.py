"""Tidings: consent-managed broadcasts. Imports nothing, so that `app.domain` stays free of Flask (see `app.factory`)."""
