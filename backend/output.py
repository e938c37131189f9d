"""A reconstruction as files: `head.obj`, `mesh.npz`, the maps as PNG and `reconstruction.json`, all or nothing.

Maps of further samples lie in folders of their own, `sample_2` and so on.
"""

from __future__ import annotations

import errno
import json
import logging
import platform
import shutil
import tempfile
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import asdict
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path

import numpy as np

from backend.head.confidence_words import described_confidence
from backend.head.head_fit import HeadFit, ViewFit
from backend.head.model import HeadModel
from backend.reconstruction import Reconstruction
from backend.texture.maps import SkinMaps
from backend.write_errors import write_error
from shared.maps import (
    DIFFUSE_ALBEDO,
    DISPLACEMENT_RANGE_MM,
    DISPLACEMENT_ZERO,
    EXTRA_MAPS,
    MAPS,
    NORMAL,
    ROUGHNESS,
    MapSpec,
    sample_folder,
)
from shared.options import MOST_SAMPLES
from shared.paths import home_expanded

_log = logging.getLogger(__name__)

PACKAGES = ("relightify", "numpy", "opencv-contrib-python", "mediapipe", "embreex", "scipy", "torch")
# The same library without windows, which stands for it where the add-on has installed the backend.
STANDS_FOR = {"opencv-contrib-python": "opencv-contrib-python-headless"}
# Least size of a result: noise apart, maps pack to about this; mesh, OBJ and description do not depend on the maps.
BYTES_PER_TEXEL, BYTES_OF_THE_REST = 5, 3_000_000
DESCRIPTION = "reconstruction.json"
OTHER_FILES = ("head.obj", "head.mtl", "mesh.npz", DESCRIPTION)
# What is being written; another run may be at work in the same folder, but not for so long.
PARTIAL_PREFIX, PARTIAL_SUFFIX, PARTIAL_HOURS = ".relightify-", ".partial", 24
# Diffuse colours of the parts that have no maps, linear RGB, for viewers of the OBJ file.
PART_COLOURS = {
    "mouth": (0.30, 0.06, 0.05),
    "eye_left": (0.75, 0.72, 0.70),
    "eye_right": (0.75, 0.72, 0.70),
    "teeth": (0.70, 0.64, 0.52),
    "tongue": (0.40, 0.10, 0.09),
    "lashes": (0.02, 0.015, 0.01),
}


def write_reconstruction(reconstruction: Reconstruction, model: HeadModel, folder: Path) -> tuple[Path, ...]:
    """Write all files of a reconstruction into a folder; see `_write_into`.

    Raises:
        RelightifyError: ``disk_full`` or ``cannot_write``.
    """
    return _write_into(folder, lambda place: _write_files(reconstruction, model, place))


def packed(reconstruction: Reconstruction, model: HeadModel) -> dict[str, bytes]:
    """All files of a reconstruction by name, to be written elsewhere by `write_packed`."""
    with tempfile.TemporaryDirectory(prefix=PARTIAL_PREFIX, suffix=PARTIAL_SUFFIX) as name:
        _write_files(reconstruction, model, Path(name))
        return {
            path.relative_to(name).as_posix(): path.read_bytes()
            for path in sorted(Path(name).rglob("*"))
            if path.is_file()
        }


def write_packed(files: Mapping[str, bytes], folder: Path) -> tuple[Path, ...]:
    """Write what `packed` gave into a folder; see `_write_into`.

    Raises:
        RelightifyError: ``disk_full`` or ``cannot_write``.
    """

    def write(place: Path) -> None:
        for name, data in files.items():
            (place / name).parent.mkdir(exist_ok=True)
            (place / name).write_bytes(data)

    return _write_into(folder, write)


def _write_into(folder: Path, write: Callable[[Path], None]) -> tuple[Path, ...]:
    """Write the files of a reconstruction into a folder, which is made where it is missing.

    Everything is written into a hidden folder inside it first and moved up when complete, so an error leaves nothing
    half-written. What an earlier reconstruction wrote there and this one does not make is removed, so that no map of
    another head stays; other files stay.

    Args:
        folder: where they go.
        write: writes them into the folder that it is given.

    Returns:
        The paths of the files.

    Raises:
        RelightifyError: ``disk_full`` or ``cannot_write``.
    """
    made: list[Path] = []
    try:
        folder = home_expanded(folder).absolute()
        made = _make_folders(folder)
        # Inside, because only that is sure to lie on the same disk.
        with tempfile.TemporaryDirectory(prefix=PARTIAL_PREFIX, suffix=PARTIAL_SUFFIX, dir=folder) as name:
            temporary = Path(name)
            write(temporary)
            files = [path.relative_to(temporary) for path in temporary.rglob("*") if path.is_file()]
            files.sort(key=lambda path: (path.name == DESCRIPTION, path))  # the description comes last
            _remove_leftovers(folder, temporary, set(files))
            for file in files:
                (folder / file).parent.mkdir(parents=True, exist_ok=True)
            return tuple((temporary / file).replace(folder / file) for file in files)
    except OSError as error:
        _remove_empty(made)
        raise write_error(folder, error) from error


def require_writable(folder: Path, resolution: int, samples: int = 1) -> None:
    """Find out before a long job that its result could not be written: write into the folder what the job will.

    What it makes for that, folders included, is gone again afterwards.

    Args:
        folder: where the result is to go; may not exist yet.
        resolution: side of the maps in texels.
        samples: how many completions there will be.

    Raises:
        RelightifyError: ``disk_full`` or ``cannot_write``.
    """
    made: list[Path] = []
    try:
        folder = home_expanded(folder).absolute()
        made = _make_folders(folder)
        with tempfile.TemporaryDirectory(prefix=PARTIAL_PREFIX, suffix=PARTIAL_SUFFIX, dir=folder) as name:
            trial = Path(name) / DESCRIPTION
            trial.write_bytes(b"trial")
            trial.replace(folder / f"{Path(name).name}.moved").unlink()
        for name in file_names(samples):
            if (folder / name).is_dir():
                raise IsADirectoryError(errno.EISDIR, "a folder is in the place of a file", str(folder / name))
        for number in range(2, samples + 1):
            if (folder / sample_folder(number)).exists() and not (folder / sample_folder(number)).is_dir():
                raise NotADirectoryError(errno.ENOTDIR, "a file is in the place of a folder", str(folder))
        if shutil.disk_usage(folder).free < BYTES_OF_THE_REST + BYTES_PER_TEXEL * samples * resolution**2:
            raise OSError(errno.ENOSPC, "the disk is full", str(folder))
    except OSError as error:
        raise write_error(folder, error) from error
    finally:
        _remove_empty(made)


def file_names(samples: int) -> tuple[str, ...]:
    """The names, from the folder of the result on, of all files that a reconstruction of so many samples may write."""
    maps = [spec.file_name for spec in (*MAPS, *EXTRA_MAPS)]
    further = [f"{sample_folder(number)}/{name}" for number in range(2, samples + 1) for name in maps]
    return (*OTHER_FILES, *maps, *further)


def _make_folders(folder: Path) -> list[Path]:
    """Make a folder and those above it; returns those that were made, the deepest first."""
    made = [path for path in (folder, *folder.parents) if not path.exists()]
    above = next(path for path in (folder, *folder.parents) if path.exists())
    if not above.is_dir():
        raise NotADirectoryError(errno.ENOTDIR, "a file is in its place", str(above))
    folder.mkdir(parents=True, exist_ok=True)
    return made


def _remove_empty(folders: list[Path]) -> None:
    for folder in folders:
        with suppress(OSError):  # something is in there by now
            folder.rmdir()


def _remove_leftovers(folder: Path, temporary: Path, files: set[Path]) -> None:
    """Remove what runs before this one wrote: files that this one lacks, and what a killed run left half-written."""
    if (folder / DESCRIPTION).is_file():
        for name in file_names(MOST_SAMPLES):
            if Path(name) not in files:
                (folder / name).unlink(missing_ok=True)
        _remove_empty([folder / sample_folder(number) for number in range(2, MOST_SAMPLES + 1)])
    for partial in folder.glob(f"{PARTIAL_PREFIX}*{PARTIAL_SUFFIX}"):
        old = time.time() - partial.lstat().st_mtime > PARTIAL_HOURS * 3600
        if partial != temporary and old and not partial.is_symlink():
            shutil.rmtree(partial, ignore_errors=True)


def _write_files(reconstruction: Reconstruction, model: HeadModel, folder: Path) -> None:
    reconstruction.mesh.save(folder / "mesh.npz")
    encoded = reconstruction.maps.encode()
    for spec in made_maps(reconstruction.maps):
        (folder / spec.file_name).write_bytes(encoded[spec.name])
    for number, sample in enumerate(reconstruction.further, 2):
        (folder / sample_folder(number)).mkdir()
        for spec in made_maps(reconstruction.maps):
            (folder / sample_folder(number) / spec.file_name).write_bytes(sample.files[spec.name])
    (folder / "head.obj").write_text(obj_text(reconstruction, model), encoding="utf-8")
    (folder / "head.mtl").write_text(mtl_text(model.part_names), encoding="utf-8")
    description = json.dumps(describe(reconstruction, model), indent=2, ensure_ascii=False)
    (folder / DESCRIPTION).write_text(description + "\n", encoding="utf-8")


def obj_text(reconstruction: Reconstruction, model: HeadModel) -> str:
    """The head with the photo's expression as Wavefront OBJ: quads, UVs, smooth, parts as groups with materials.

    Metres, +y up, +z out of the face; `mesh.npz` holds the neutral head and the expression shapes.
    """
    vertices = reconstruction.fit.vertices(model)
    lines = [
        "# Relightify; metres, +y up, +z out of the face; with the photo's expression",
        "mtllib head.mtl",
        "o head",
    ]
    lines += [f"v {x:.6f} {y:.6f} {z:.6f}" for x, y, z in vertices.tolist()]
    lines += [f"vt {u:.6f} {v:.6f}" for u, v in model.uv.tolist()]
    lines.append("s 1")
    for part in model.part_names:
        lines += [f"g {part}", f"usemtl {part}"]
        for face in model.part_faces(part).tolist():
            corners = [(int(a) + 1, int(b) + 1) for a, b in zip(model.quads[face], model.uv_quads[face], strict=True)]
            lines.append("f " + " ".join(f"{a}/{b}" for a, b in corners if a > 0))
    return "\n".join(lines) + "\n"


def mtl_text(part_names: tuple[str, ...]) -> str:
    """Materials of the OBJ file: the skin with its maps, the other parts in plain colours."""
    lines = ["# Relightify"]
    for part in part_names:
        lines += ["", f"newmtl {part}", "illum 2", "Ks 0.04 0.04 0.04", "Ns 40", "Pr 0.45"]
        if part == "skin":
            lines += [
                "Kd 1 1 1",
                f"map_Kd {DIFFUSE_ALBEDO.file_name}",
                f"norm {NORMAL.file_name}",
                f"map_Pr {ROUGHNESS.file_name}",
            ]
        else:
            lines.append("Kd {:g} {:g} {:g}".format(*PART_COLOURS.get(part, (0.5, 0.5, 0.5))))
        if part == "lashes":
            lines.append("d 0.15")  # strips of polygons; opaque they would look like paint around the eyes
    return "\n".join(lines) + "\n"


def describe(reconstruction: Reconstruction, model: HeadModel) -> dict:
    """What `reconstruction.json` says: coefficients, camera, light, options, versions, warnings, timings, sources."""
    fit, options, peak = reconstruction.fit, reconstruction.options, reconstruction.peak_memory_bytes
    shown = zip(fit.numbers, fit.views, reconstruction.faces, reconstruction.shares, strict=True)
    return {
        "format": 1,
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "conventions": "head space: metres, +y up, +z out of the face, +x to the subject's left; camera looks down -z; "
        "light: radiance, real spherical harmonics up to order 2, linear RGB",
        "options": asdict(options),
        **describe_head(fit, model),
        # The same form that `--landmarks` reads; they are of the head without them, which others may be of, too.
        "corrections": reconstruction.corrections.plain(),
        "uncorrected": None if fit.uncorrected is None else describe_head(fit.uncorrected, model),
        "light_sh": _rounded(fit.light),
        "skin_albedo_linear": _rounded(fit.skin_albedo),
        "iris_colour_srgb": dict(zip(("left", "right"), _rounded(reconstruction.mesh.iris_colour_srgb), strict=True)),
        "iris_diameter_mm": round(2000 * float(reconstruction.mesh.iris_radius_m), 2),
        "pupil_share": round(float(reconstruction.mesh.pupil_share), 3),
        "teeth_colour_srgb": _rounded(reconstruction.mesh.teeth_colour_srgb),
        "landmark_error": float(fit.view.landmark_error),
        "confidence": described_confidence(fit),
        "face_box_px": [float(x) for x in reconstruction.face.box],
        "photos": [
            {
                "number": number + 1,
                "camera": _described_camera(view),
                "light_sh": _rounded(view.light),
                "expression": dict(zip(model.expression_names, _rounded(view.expression), strict=True)),
                "landmark_error": float(view.landmark_error),
                "face_box_px": [float(x) for x in face.box],
                "share_of_seen_skin": round(share, 4),
            }
            for number, view, face, share in shown
        ],
        "maps": {
            spec.name: {
                "file": spec.file_name,
                "channels": spec.channels,
                "bits": spec.bits,
                "encoding": "sRGB" if spec.srgb else "linear",
            }
            for spec in made_maps(reconstruction.maps)
        },
        "detail": describe_detail(reconstruction.maps),
        "further_samples": [
            {"folder": sample_folder(number), "seed": sample.seed, "light_sh": _rounded(sample.light)}
            for number, sample in enumerate(reconstruction.further, 2)
        ],
        "warnings": list(reconstruction.warnings),
        "timings_s": {stage: round(seconds, 3) for stage, seconds in reconstruction.timings.items()},
        "peak_memory_mib": None if peak is None else round(peak / 2**20),
        "versions": {"python": platform.python_version(), **_versions()},
        "head_model": model.metadata,
        "notes": "Specular albedo and fine relief are plausible, not measured. Face landmarks: MediaPipe Face "
        "Landmarker (Apache-2.0). Head model: see head_model and backend/assets/README.md.",
    }


def describe_head(fit: HeadFit, model: HeadModel) -> dict:
    """Coefficients and camera of a fit; from these alone it can be corrected by hand."""
    return {
        "identity": _rounded(fit.identity),
        "expression": dict(zip(model.expression_names, _rounded(fit.expression), strict=True)),
        "camera": _described_camera(fit.view),
    }


def _described_camera(view: ViewFit) -> dict:
    camera = view.camera
    return {
        "rotation": _rounded(camera.rotation, 9),
        "translation_m": _rounded(camera.translation, 9),
        "focal_px": float(camera.focal_px),
        "focal_known": view.focal_known,
        "centre_px": _rounded(np.array(camera.centre_px)),
        "width_px": camera.width,
        "height_px": camera.height,
    }


def made_maps(maps: SkinMaps) -> list[MapSpec]:
    """The maps that there are, in the order of `shared.maps`."""
    names = maps.by_name()
    return [spec for spec in (*MAPS, *EXTRA_MAPS) if spec.name in names]


def describe_detail(maps: SkinMaps) -> dict | None:
    """Which share of the face's detail was seen, continued and made, and what the displacement's values mean."""
    report = maps.detail
    if report is None:
        return None
    result: dict = {
        "shares": {"seen": report.seen, "continued": report.continued, "made": report.made},
        "meaning": "shares of the face's detail, every octave of wavelength counting the same; seen: from the photo; "
        "continued: from this person's seen skin; made: by statistics of people's skin",
        "strength": report.strength,
        "photo_px_per_mm": report.photo_px_per_mm,
        "texels_per_mm": report.texels_per_mm,
        "octaves": [
            {"wavelength_mm": wave, "seen": seen, "continued": continued, "made": made}
            for wave, seen, continued, made in report.octaves_mm
        ],
    }
    if maps.displacement_mm is not None:
        result["displacement"] = {
            "unit": "mm",
            "height": "(value - midlevel) * scale_mm, value from 0 to 1, along the normal",
            "midlevel": DISPLACEMENT_ZERO,
            "scale_mm": DISPLACEMENT_RANGE_MM,
        }
    return result


def _rounded(values: np.ndarray, digits: int = 6) -> list:
    return np.round(np.asarray(values, np.float64), digits).tolist()


def _versions() -> dict[str, str]:
    found = {}
    for package in PACKAGES:
        found[package] = "not installed"
        for name in (STANDS_FOR.get(package, package), package):
            with suppress(metadata.PackageNotFoundError):
                found[package] = metadata.version(name)
    return found
