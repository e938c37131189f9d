"""The linear head model (eq. 8) and fitting it to photos."""
