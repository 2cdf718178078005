one = "browser"
two = "browser"
three = "handler"
four = "backend"
