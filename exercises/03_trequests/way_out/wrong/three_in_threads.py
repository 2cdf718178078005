one = "greenlets"
two = "rewrite"
three = "threads"
four = "threads"
