"""People in a room: bare sockets that say and hear, and cost less than the server.

They are here, and not in a benchmark, since a lesson counts with them too.
"""
