"""Reconstruct one photo in this process, and write its head and maps: python example_pipeline.py PHOTO FOLDER"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np

from backend.output import write_reconstruction
from backend.pipeline import Pipeline
from backend.progress import Progress
from shared.options import JobOptions


def main(photo: Path, folder: Path, options: JobOptions) -> tuple[Path, ...]:
    """Reconstruct a photo and write everything that came of it; returns the files."""
    pipeline = Pipeline(device="auto")  # loads the models once; keep it for the next photo
    result = pipeline.reconstruct(photo.read_bytes(), options, Progress(callback=show))

    mesh, maps = result.mesh, result.maps
    print(f"{len(mesh.vertices)} vertices, {len(mesh.expression_names)} expressions, maps of {maps.resolution} px")
    smile = list(mesh.expression_names).index("mouthSmileLeft")
    print(f"smile: {mesh.expression_weights[smile]:.2f}")
    print(f"mean skin colour, sRGB: {np.round(maps.diffuse_albedo_srgb.mean(axis=(0, 1)), 2)}")
    for warning in result.warnings:
        print(f"note: {warning}")
    return write_reconstruction(result, pipeline.model, folder)


def show(stage: str, fraction: float, preview: np.ndarray | None) -> None:
    """Progress: the stage, the fraction of the whole job, now and then a picture, uint8 [H, W, 3] sRGB."""
    del preview
    print(f"{fraction:4.0%} {stage}")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), JobOptions(quality="draft", resolution=1024))
