films = "e"
line = "s"
