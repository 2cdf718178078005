one = "client"
two = "browser"
three = "backend"
four = "backend"
