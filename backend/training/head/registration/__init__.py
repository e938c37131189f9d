"""Meshes brought into correspondence with the head: surfaces, non-rigid registration, carrying displacements over."""
