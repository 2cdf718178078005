one = "greenlets"
two = "rewrite"
three = "rewrite"
four = "threads"
