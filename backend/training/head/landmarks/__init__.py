"""Where the landmarks lie on the head: the detector on shaded portraits of it, and on real faces."""
