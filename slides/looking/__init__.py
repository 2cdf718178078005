"""A deck and its pages as a room will see them: in a browser, and by what stands in them."""
