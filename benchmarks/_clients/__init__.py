"""What `clients.py` is made of: the servers, their surroundings, and the figures."""
