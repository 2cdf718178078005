answer = "d"
