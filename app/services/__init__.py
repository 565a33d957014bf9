"""One module per use case; each takes `now`, opens one transaction, and returns what should happen next."""
