"""A hand on the fit: the handles it is given, the head that goes through them, and how both sides exchange it."""
