films = "c"
line = "t"
