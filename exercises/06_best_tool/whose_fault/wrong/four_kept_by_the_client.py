one = "client"
two = "browser"
three = "handler"
four = "client"
