"""`relightify doctor`: what works on this machine, and how to mend what does not.

The checks load native libraries, which a wrong driver or processor can make crash. So they run in a process of their
own: the doctor survives it, names the part, and goes on with the next check in another process.
"""

from __future__ import annotations

import argparse
import importlib
import importlib.util
import json
import os
import platform
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from importlib import metadata
from typing import Literal

from shared.errors import RelightifyError
from shared.paths import cache_root

WANTED_MEMORY_GIB = 4.0
WANTED_DISK_GIB = 2.0
MISSING_EXIT_CODE = 5

Status = Literal["ok", "optional", "missing"]


@dataclass(frozen=True)
class Finding:
    """One line of the report.

    Args:
        name: what was looked at.
        status: ``ok``; ``optional``: not there, and not needed; ``missing``: needed and not there.
        detail: what was found.
        mend: what to do about it; empty where there is nothing to do.
    """

    name: str
    status: Status
    detail: str
    mend: str = ""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument("--json", action="store_true", help="print the report as JSON")


def run(options: argparse.Namespace) -> int:
    """Print the report; 0 where everything needed is there, else 5."""
    findings = examine_apart()
    if options.json:
        print(json.dumps([asdict(f) for f in findings], indent=2))
    else:
        width = max(len(f.name) for f in findings)
        for finding in findings:
            print(f"[{finding.status:^8}] {finding.name:<{width}}  {finding.detail}")
            if finding.mend:
                print(f"{'':>{width + 12}}  -> {finding.mend}")
    return MISSING_EXIT_CODE if any(f.status == "missing" for f in findings) else 0


def examine(first: int = 0) -> Iterator[Finding]:
    """Look at everything from check `first` on; a check that fails is itself a finding."""
    for check in CHECKS[first:]:
        try:
            yield check()
        except Exception as error:
            # A broken library can raise anything while it loads, and the report must name it rather than end.
            mend = error.hint if isinstance(error, RelightifyError) else "Reinstall Relightify: pip install relightify"
            yield Finding(_name(check), "missing", f"{type(error).__name__}: {error}", mend)


def examine_apart(command: Sequence[str] = (sys.executable, "-m", "backend.doctor")) -> tuple[Finding, ...]:
    """Look at everything in processes apart; a check that ends its process is itself a finding.

    Args:
        command: takes the number of the first check and prints a finding a line, as this module does when it is run.
    """
    findings: list[Finding] = []
    while len(findings) < len(CHECKS):
        with tempfile.TemporaryFile() as errors:
            done = subprocess.run(
                [*command, str(len(findings))],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=errors,
                env={**os.environ, "PYTHONUTF8": "1", "PYTHONFAULTHANDLER": "1"},
                check=False,
            )
            errors.seek(0)
            said = errors.read().decode(errors="replace")
        lines = [line for line in done.stdout.decode(errors="replace").splitlines() if line.startswith("{")]
        findings += [Finding(**json.loads(line)) for line in lines]
        if len(findings) < len(CHECKS):
            sys.stderr.write(said)
            findings.append(_crashed(CHECKS[len(findings)], done.returncode, said))
    return tuple(findings)


def _crashed(check: Callable[[], Finding], code: int, said: str, lines: int = 3) -> Finding:
    """What there is to say of a check whose process ended in it, with the last lines of its output."""
    ended = f"exit status {code}"
    if code < 0:
        ended = signal.Signals(-code).name
    # The handler of faults adds where Python was, below what the library itself said.
    words = [line.strip() for line in said.partition("Fatal Python error")[0].splitlines() if line.strip()]
    detail = f"its library crashed ({ended}); last words: {' / '.join(words[-lines:]) or 'none'}"
    return Finding(_name(check), "missing", detail, "Update the graphics driver, or reinstall Relightify.")


def _name(check: Callable[[], Finding]) -> str:
    return check.__name__.removeprefix("_check_").replace("_", " ")


def _check_python() -> Finding:
    version = platform.python_version()
    detail = f"{version} on {platform.system()} {platform.machine()}, {os.cpu_count()} cores"
    return Finding("python", "ok", detail)


def _check_libraries() -> Finding:
    modules = ("numpy", "cv2", "scipy", "PIL", "pillow_heif", "msgpack", "zmq", "safetensors")
    absent = []
    for module in modules:
        try:
            importlib.import_module(module)
        except ImportError as error:
            absent.append(f"{module} ({error})")
    if absent:
        return Finding("libraries", "missing", ", ".join(absent), "pip install relightify")
    return Finding("libraries", "ok", "all there")


def _check_embree() -> Finding:
    import numpy as np

    from backend.rendering.camera import Camera
    from backend.rendering.rasteriser import EmbreeRasteriser

    corners = np.array([[-1, -1, 0], [1, -1, 0], [0, 1, 0]], np.float32)
    camera = Camera(np.eye(3), np.array([0, 0, -3.0]), 8.0, (4, 4), 8, 8)
    hit = EmbreeRasteriser().rasterise(corners, np.array([[0, 1, 2]], np.int32), camera).mask.any()
    if not hit:
        return Finding("embree", "missing", "a test ray missed its triangle", "pip install --force-reinstall embreex")
    return Finding("embree", "ok", f"embreex {metadata.version('embreex')}")


def _check_face_detector() -> Finding:
    from backend.photo.face_detector import FaceDetector

    detector = FaceDetector()
    detector.close()
    return Finding("face detector", "ok", f"mediapipe {metadata.version('mediapipe')}, model file verified")


def _check_segmentation() -> Finding:
    from backend.photo.networks.model_file import SEGMENTER, fetched_model

    try:
        fetched_model(SEGMENTER)
    except RelightifyError as error:
        return Finding("segmentation", "optional", f"skin is told by colour alone. {error.message}", error.hint)
    return Finding("segmentation", "ok", "hair, clothes and hands are told from skin, model file verified")


def _check_head_model() -> Finding:
    from backend.head.model import ASSET, load_head_model

    if not ASSET.exists():
        mend = "Reinstall Relightify, or build it: python -m backend.training head-model"
        return Finding("head model", "missing", f"{ASSET} is not there", mend)
    model = load_head_model()
    return Finding("head model", "ok", f"{len(model.mean)} vertices, {len(model.identity_basis)} identity modes")


def _check_torch() -> Finding:
    import torch

    # ROCm's build of PyTorch takes AMD's GPUs under the name of CUDA.
    hip = getattr(torch.version, "hip", None)
    if torch.cuda.is_available():
        properties = torch.cuda.get_device_properties(0)
        runtime = f"AMD ROCm {hip}, which PyTorch calls cuda" if hip else f"CUDA {torch.version.cuda}"
        size = f"{properties.total_memory / 2**30:.0f} GiB"
        return Finding("torch", "ok", f"torch {torch.__version__}, {runtime}: {properties.name}, {size}")
    if torch.backends.mps.is_available():
        detail = f"torch {torch.__version__}, Apple's GPU on request (--device mps); else everything runs on the CPU"
        return Finding("torch", "ok", detail)
    wanted = f"no GPU for its ROCm {hip} build" if hip else "no CUDA GPU"
    return Finding("torch", "ok", f"torch {torch.__version__}, {wanted}; everything runs on the CPU")


def _check_nvdiffrast() -> Finding:
    if importlib.util.find_spec("nvdiffrast") is None:
        return Finding("nvdiffrast", "optional", "not installed; Embree rasterises instead")
    return Finding("nvdiffrast", "ok", f"nvdiffrast {metadata.version('nvdiffrast')} (non-commercial licence)")


def _check_priors() -> Finding:
    from backend.head.model import load_head_model
    from backend.prior.available import available_priors
    from shared.options import QUALITIES

    there = available_priors(load_head_model())
    absent = [quality for quality in QUALITIES if quality not in there]
    detail = ", ".join(there) + (f"; not in this installation: {', '.join(absent)}" if absent else "")
    return Finding("qualities", "ok", detail)


def _check_memory() -> Finding:
    try:
        total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    except (AttributeError, ValueError, OSError):
        return Finding("memory", "optional", "this system does not tell", "4 GiB are needed at 1024 texels.")
    if total < WANTED_MEMORY_GIB:
        mend = f"At least {WANTED_MEMORY_GIB:.0f} GiB are advised; use --resolution 512."
        return Finding("memory", "optional", f"{total:.1f} GiB", mend)
    return Finding("memory", "ok", f"{total:.1f} GiB")


def _check_disk() -> Finding:
    folder = cache_root()
    existing = next(p for p in (folder, *folder.parents) if p.exists())
    free = shutil.disk_usage(existing).free / 2**30
    detail = f"{free:.1f} GiB free for the cache {folder}"
    if not os.access(existing, os.W_OK):
        mend = "Make the folder writable, or set RELIGHTIFY_CACHE to one that is."
        return Finding("disk", "missing", f"{folder} cannot be written", mend)
    if free < WANTED_DISK_GIB:
        return Finding("disk", "optional", detail, "Free some space.")
    return Finding("disk", "ok", detail)


CHECKS: tuple[Callable[[], Finding], ...] = (
    _check_python,
    _check_libraries,
    _check_embree,
    _check_face_detector,
    _check_segmentation,
    _check_head_model,
    _check_torch,
    _check_nvdiffrast,
    _check_priors,
    _check_memory,
    _check_disk,
)


if __name__ == "__main__":
    for finding in examine(int(sys.argv[1])):
        print(json.dumps(asdict(finding)), flush=True)
