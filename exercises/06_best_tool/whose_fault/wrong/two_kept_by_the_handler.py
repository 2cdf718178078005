one = "client"
two = "handler"
three = "handler"
four = "backend"
