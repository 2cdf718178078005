one = "greenlets"
two = "greenlets"
three = "process"
four = "threads"
