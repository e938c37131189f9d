"""The image arithmetic on tensors, for the device that the networks run on; its references are in `backend.imaging`."""
