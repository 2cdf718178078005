films = "a"
line = "s"
