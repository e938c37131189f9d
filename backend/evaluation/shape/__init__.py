"""Tables of the fit: landmarks, geometry, corrections, several photos, what shape tells of skin."""
