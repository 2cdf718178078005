answer = "c"
