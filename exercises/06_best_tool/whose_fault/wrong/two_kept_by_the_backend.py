one = "client"
two = "backend"
three = "handler"
four = "backend"
