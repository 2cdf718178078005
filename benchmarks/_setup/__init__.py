"""What belongs to the benchmark of set-up."""
