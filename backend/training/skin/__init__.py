"""Pseudo-ground-truth skin of the training people: fitted, unwrapped, delit, completed, packed."""
