"""What `benchmarks/pythons.py` starts, and how it finds Pythons to start it with."""
