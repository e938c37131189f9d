"""Texture space: unwrapping what a photo shows of the skin, and the maps with their files."""
