"""The photos of a head: where they come from, their cameras, and what of the head lies under which pixel."""
