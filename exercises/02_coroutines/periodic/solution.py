# The calls of 2 and 3 seconds fall into the first one, and are skipped. It ends at 3.5, and the
# next is due at 4.
answer = "d"
