"""People's rights, on a small newsroom."""
