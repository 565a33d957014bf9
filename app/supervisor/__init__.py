"""Starts what Tidings needs on one machine and stops it again, leaving no process behind."""
