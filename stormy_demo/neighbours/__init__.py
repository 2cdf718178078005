"""What Tornado is mixed with: a module for each neighbour on its loop, beside its other end."""
