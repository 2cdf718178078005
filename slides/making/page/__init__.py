"""The pages beside the deck: their looks, and what is made of a notebook for them."""
