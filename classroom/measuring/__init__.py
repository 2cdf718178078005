"""Things side by side: what a lesson measures in seconds, and a benchmark in minutes."""
