one = "threads"
two = "rewrite"
three = "process"
four = "threads"
