# Both have begun, and the second question comes late: the client lets one through at a time.
one = "client"
# The second tab sends when the first is done: the browser hopes to need no second request.
two = "browser"
# Both have sent, and the second `get` begins late: the first one has the thread.
three = "handler"
# The backend has both questions at once, and answers them one after the other.
four = "backend"
