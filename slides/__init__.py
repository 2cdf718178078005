"""The talk: how its deck and the pages beside it are made, looked at, and printed."""
