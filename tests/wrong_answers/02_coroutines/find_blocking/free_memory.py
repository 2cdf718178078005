films = "d"
line = "s"
