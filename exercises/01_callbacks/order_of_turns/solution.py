# `script` comes first: the loop has called it, and waits for its end. The queue is next, in the
# order in which it was filled, and the box stands in it since `set_result`. The clock is last.
answer = "c"
