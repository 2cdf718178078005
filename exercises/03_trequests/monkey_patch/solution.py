# The patched sockets wait for gevent's loop. Tornado's loop, which called the handler, stands
# meanwhile: the same staircase. The kernel was built on the threads that the patch replaces.
answer = "c"
