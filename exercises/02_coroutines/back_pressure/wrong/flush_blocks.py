answer = "a"
