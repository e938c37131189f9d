"""MediaPipe's networks: where their files come from, what loading them needs, and how they are let go."""
