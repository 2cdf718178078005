"""Draws the pictures of the talk as by hand, in SVG that takes the colours of its page."""
