"""Lids before eyeballs, their wet rims and lashes."""
