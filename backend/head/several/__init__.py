"""Several photos of one person: one identity for all, profiles told by their outline, landmarks of turned faces."""
