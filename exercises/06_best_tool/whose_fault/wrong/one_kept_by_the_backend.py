one = "backend"
two = "browser"
three = "handler"
four = "backend"
