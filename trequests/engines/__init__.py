"""What is behind `trequests`: three ways to send a request without holding the event loop."""
