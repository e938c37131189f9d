"""Finding, starting and talking to a backend: which one, its process, the line to it, and what is under way."""
