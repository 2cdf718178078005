films = "c"
line = "r"
