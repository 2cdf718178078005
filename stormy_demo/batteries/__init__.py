"""What comes with Tornado: a server for each battery, beside a real counterpart."""
