one = "handler"
two = "browser"
three = "handler"
four = "backend"
