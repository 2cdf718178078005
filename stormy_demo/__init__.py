"""One task, told three times, on one thread: the servers of the Stormy Webber workshop."""
