"""Tidings: consent-managed broadcasts. Imports nothing, so that `app.domain` stays free of Flask."""
