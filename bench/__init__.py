"""Benchmarks: `python -m bench` measures the hand-over beside a naive baseline and the ceiling of the machine."""
