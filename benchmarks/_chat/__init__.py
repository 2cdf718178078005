"""The parts of `benchmarks/chat.py`."""
