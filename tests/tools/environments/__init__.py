"""What people have on their machines, and what they see when they begin."""
