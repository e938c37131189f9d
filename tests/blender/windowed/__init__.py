"""Checks in a Blender with windows, where undo, timers and modal operators work: `python -m tests.blender.windowed`."""
