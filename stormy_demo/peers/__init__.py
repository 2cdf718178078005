"""Tornado and its peers, each a program that does the same, so that they can be compared."""
