"""What the benchmarks share."""

LOCALHOST = "127.0.0.1"
