films = "c"
line = "p"
