"""Changing a head that is there already: another fit, shape, mesh or result, with what the artist has done to it."""
