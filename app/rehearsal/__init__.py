"""Rehearsals: a broadcast run in full on a stage of its own, with stand-ins for people and for providers."""
