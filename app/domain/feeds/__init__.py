"""Feeds of other sites: reading a document, naming its items once, and wording a message from an item."""
