"""Building the linear head model from the base mesh, scanned identities and expression shapes."""
