"""Data in, Blender objects out: a head's mesh, skin, camera and light, and finding, renewing and reading them again."""
