"""Settings that the panels edit and that are saved with the scene."""
