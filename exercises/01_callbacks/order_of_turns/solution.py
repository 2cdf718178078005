# `script` comes first: the loop has called `riddle`, and waits for its end. Then the queue, in
# the order in which it was filled; the box stands in it since `set_result`.
answer = "c"
