"""Laying out the texture space of the skin."""
