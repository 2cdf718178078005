"""The deck and the pages beside it: made from notebooks, into single files."""
