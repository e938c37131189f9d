"""What `build_addon.py` puts together: the wheels that the extension carries, and its levels of detail."""
