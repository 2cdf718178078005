one = "client"
two = "client"
three = "handler"
four = "backend"
