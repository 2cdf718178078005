"""What `servers.py` is made of: the peers that are compared, and who judges the upstream."""
