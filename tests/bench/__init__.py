"""Tests of the benchmarks' instruments; the benchmarks themselves are run by hand."""
