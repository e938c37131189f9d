"""The skin of a head in Blender: its materials, maps, completions to choose from, wrinkles."""
