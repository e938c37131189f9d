"""What `build_addon.py` puts together."""
