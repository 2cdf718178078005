"""What `conformance.py` is made of: the run of one suite, and what is known of it."""
