"""The operators' commands: one module per group, each a thin doorway that reads the clock and calls one service."""
