"""Looks at a deck and at pages, as an audience will see them, for what is wrong with them."""
