one = "greenlets"
two = "process"
three = "process"
four = "threads"
