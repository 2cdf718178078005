one = "rewrite"
two = "rewrite"
three = "process"
four = "threads"
