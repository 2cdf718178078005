one = "greenlets"
two = "threads"
three = "process"
four = "threads"
