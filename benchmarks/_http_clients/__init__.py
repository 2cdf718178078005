"""What `http_clients.py` is made of: the clients, which another environment can run too."""
