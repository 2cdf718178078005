"""An answer under examination: what a checker asks of it, in a process of its own."""
