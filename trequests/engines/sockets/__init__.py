"""The engine "sockets": requests and urllib3 as they are, on sockets that yield to the loop."""
