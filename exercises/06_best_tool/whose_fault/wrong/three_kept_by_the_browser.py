one = "client"
two = "browser"
three = "browser"
four = "backend"
