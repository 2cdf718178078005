"""What belongs to the benchmark of one process and two."""
