one = "client"
two = "browser"
three = "client"
four = "backend"
