"""What builds `backend/assets`: `python -m backend.training COMMAND`."""
