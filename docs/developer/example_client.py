"""Reconstruct one photo on a running backend, and keep its maps: python example_client.py PHOTO FOLDER

The backend is started by `relightify serve`, on this machine or another one.
"""

from __future__ import annotations

import sys
from pathlib import Path

from backend.service.client import Client
from shared.connection import Connection
from shared.messages import JobProgress, Result
from shared.options import JobOptions


def main(photo: Path, folder: Path, options: JobOptions, connection: Connection | Path | None = None) -> Result:
    """Reconstruct a photo on the backend of a connection file, None for the usual one; returns what came back."""
    with Client(connection) as client:
        for message in client.reconstruct(photo.read_bytes(), options, photo.name):
            if isinstance(message, JobProgress):
                print(f"{message.fraction:4.0%} {message.stage}")
            if isinstance(message, Result):
                folder.mkdir(parents=True, exist_ok=True)
                for name, png in message.maps.items():
                    file = folder / f"{name}.png"
                    file.parent.mkdir(exist_ok=True)  # further samples come as sample_2/normal and so on
                    file.write_bytes(png)
                message.mesh.save(folder / "mesh.npz")
                return message
    raise RuntimeError("a job ends with a result or an error")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), JobOptions(quality="draft", resolution=1024))
