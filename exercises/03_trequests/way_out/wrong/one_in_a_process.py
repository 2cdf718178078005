one = "process"
two = "rewrite"
three = "process"
four = "threads"
