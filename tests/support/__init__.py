"""Services that tests run against: real databases, a real Redis-protocol server."""
