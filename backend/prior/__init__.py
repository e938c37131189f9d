"""Completing the maps: a classical, a linear and a diffusion prior behind one interface."""
