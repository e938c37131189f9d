"""Levels of detail of the head's mesh: edges collapsed once, as fixed maps that ship."""
