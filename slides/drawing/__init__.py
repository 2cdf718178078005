"""Drawings by a hand that is a program: SVG in the colours of the page around it."""
