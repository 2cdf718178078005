"""The engines "simple" and "curl": an exchange with a client of Tornado's for each request."""
