"""Light and skin taken apart: the light, highlights, the albedo of what is seen, and how light the skin is."""
