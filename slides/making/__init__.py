"""Makes the deck, its PDF, and the pages beside it, from notebooks; each is a single file."""
