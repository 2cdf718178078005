"""What `deck.py` is made of: a browser, and a server that stands in for the internet."""
