"""Where the weights of the face embedding lie: known without loading PyTorch."""

from __future__ import annotations

from backend.asset_files import ASSETS

ASSET = ASSETS / "face_embedding.safetensors"
