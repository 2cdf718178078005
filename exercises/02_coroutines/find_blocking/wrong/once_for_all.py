films = "b"
line = "s"
