"""Fixtures of a collector that runs inside a test."""

from tests.collector.conftest import broker, run_collector

__all__ = ["broker", "run_collector"]
