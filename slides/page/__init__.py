"""The pages beside the deck: their template and style, and what is made of a notebook for them."""
