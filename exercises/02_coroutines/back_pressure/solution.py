# Nobody awaits `flush`, so `get` writes all of the pages at once, and what the line does not
# take yet stands in the memory of the server.
answer = "b"
