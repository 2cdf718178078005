"""What `workshop.py` hands work to."""
