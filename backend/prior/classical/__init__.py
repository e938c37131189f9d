"""The classical completion: mirrored where the other side was seen, continued elsewhere."""
