"""The other ends: the servers that a neighbour talks to, real and on this machine."""
