"""Consent records and receipts in two published forms, with the JSON schemas that they are held against."""
