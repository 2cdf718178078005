# Red, and the line waits: `requests.get` holds the thread, so give it one of its own.
one = "thread"
# Free, and one person asks three things, each when she has the one before.
two = "gather"
# Free, and they stand at a lock, which somebody keeps while she waits for the backend.
three = "shorter"
# Free, and exactly ten of twelve are at the backend: the client keeps two back.
four = "clients"
# Red, and the line works: only another processor helps.
five = "process"
