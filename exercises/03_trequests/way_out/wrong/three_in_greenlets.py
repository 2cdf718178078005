one = "greenlets"
two = "rewrite"
three = "greenlets"
four = "threads"
