# It waits in `requests`, may not be changed, and five hundred threads are many.
one = "greenlets"
# It is yours and short, and with `await` every switch stands in the source.
two = "rewrite"
# It works and never waits, so only another processor helps.
three = "process"
# It waits in C, where no adapter reaches, and five threads are few.
four = "threads"
