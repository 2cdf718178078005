# Only two requests for the same address, from the same browser, wait for each other: it holds
# the second one back, hoping that the first answer will do for both. The server never sees it.
answer = "b"
