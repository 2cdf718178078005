"""The exercises: a folder for each, in one for each notebook, with all that belongs to it."""
