"""The engines "simple" and "curl": each request is an exchange with a client of Tornado."""
