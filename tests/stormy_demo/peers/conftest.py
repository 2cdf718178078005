"""What the tests of the peers share with those of the benchmarks."""

from tests.benchmarks.conftest import measured_quickly

__all__ = ["measured_quickly"]
