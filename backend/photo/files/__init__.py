"""The file of a photo: what it is, what it costs, what its colours mean, what of it is missing."""
