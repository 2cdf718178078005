# Ten go through at once. The eleventh stands in the client's line, whose deadline is a timer of
# the loop on which the client was made, and that loop is closed.
answer = "c"
