one = "greenlets"
two = "rewrite"
three = "process"
four = "rewrite"
