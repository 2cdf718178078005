"""What belongs to the benchmark of those who wait for each other, and those who do not."""
