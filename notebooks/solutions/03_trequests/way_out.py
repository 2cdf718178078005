one = "greenlets"
two = "rewrite"
three = "process"
four = "threads"
