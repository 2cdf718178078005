"""The talk, and the program that makes its deck: `making`, `looking` at it, and `drawing`."""
