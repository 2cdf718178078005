films = "c"
line = "q"
