"""The code for GPUs on a stand-in that refuses what CUDA refuses (`tests/cuda_stand_in`), for machines without one."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from tests.backend.delight.device_case import LIMITS as LIGHT_LIMITS
from tests.backend.delight.device_case import LIMITS_TOGETHER
from tests.backend.delight.device_case import SIDE as LIGHT_SIDE
from tests.backend.delight.device_case import SMALL as LIGHT_SMALL
from tests.backend.detail.device_case import AS_THEY_ARE, SIDE, SMALL, STRENGTH
from tests.backend.head.shading.device_case import LIMITS as FIT_LIMITS
from tests.backend.imaging.device_cases import LIMITS
from tests.backend.prior.linear.device_case import LIMITS as DRAFT_LIMITS

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[1]
SOURCE = Path(__file__).parent / "cuda_stand_in" / "device.cpp"
TORCH = Path(torch.__file__).parent


@pytest.fixture(scope="session")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The compiled half of the stand-in for CUDA."""
    return compiled(tmp_path_factory.mktemp("cuda_stand_in") / "device.so")


@pytest.fixture(scope="session")
def library_mps(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same for a Mac's GPU."""
    return compiled(tmp_path_factory.mktemp("mps_stand_in") / "device.so", "-DSTAND_IN_MPS")


def compiled(target: Path, *flags: str) -> Path:
    compiler = shutil.which("g++")
    if compiler is None or sys.platform != "linux":
        pytest.skip("the stand-in for CUDA needs g++ and Linux")
    if torch.version.cuda is not None:
        pytest.skip("PyTorch has CUDA itself")
    includes = [f"-I{TORCH / 'include'}", f"-I{TORCH / 'include/torch/csrc/api/include'}"]
    libraries = [f"-L{TORCH / 'lib'}", "-lc10", "-ltorch_cpu", f"-Wl,-rpath,{TORCH / 'lib'}"]
    command = [
        compiler,
        *flags,
        "-std=c++20",
        "-fPIC",
        "-shared",
        str(SOURCE),
        "-o",
        str(target),
        *includes,
        *libraries,
    ]
    subprocess.run(command, check=True, capture_output=True, text=True)
    return target


def run(job: str, library: Path, folder: Path, kind: str = "cuda") -> dict:
    command = [sys.executable, "-m", "tests.cuda_stand_in.jobs", job, str(folder)]
    # One thread: what makes tensors the stand-in's is a mode, and PyTorch's modes are of the thread that enters them.
    variables = {**os.environ, "LD_PRELOAD": str(library), "STAND_IN": kind, "OMP_NUM_THREADS": "1"}
    done = subprocess.run(command, cwd=ROOT, env=variables, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads(done.stdout.splitlines()[-1])


def test_the_stand_in_refuses_what_cuda_refuses(library: Path, tmp_path: Path) -> None:
    told = run("refusal", library, tmp_path)
    assert told["refused"] == 3
    assert told["gradient"] == [2.0, 2.0, 2.0]
    assert told["device"] == "cuda:0"


def test_training_quadruples_are_the_same_on_both_devices(library: Path, tmp_path: Path) -> None:
    assert run("stream", library, tmp_path)["difference"] < 1e-4


def test_training_runs_on_the_device(library: Path, tmp_path: Path) -> None:
    told = run("training", library, tmp_path)
    assert told["gradients_on"] == ["cuda:0"]
    assert told["steps"] == 8  # four of each


def test_completion_runs_on_the_device_in_mixed_precision(library: Path, tmp_path: Path) -> None:
    told = run("completion", library, tmp_path)
    assert told["device"] == "cuda:0"
    # Half precision shows, but hardly.
    assert 0 < max(told["differences"]) < 0.02


def told_of_primitives(told: dict) -> None:
    assert told["differences"].keys() == LIMITS.keys()
    assert {name: found for name, found in told["differences"].items() if found > LIMITS[name]} == {}


def told_of_unwrapping(told: dict) -> None:
    assert told["seen"] > 10_000
    assert told["most"] < 0.01  # the reference knows 32 places between two pixels
    assert told["unseen"] == 0
    assert told["preview"] <= 2
    assert max(told["to_host"]) < 50  # which kinds of footprints there are; the texture stays


def told_of_delighting(told: dict, photos: int = 1) -> None:
    limits = LIGHT_LIMITS if photos == 1 else LIMITS_TOGETHER
    assert told["differences"].keys() == limits.keys()
    assert {name: found for name, found in told["differences"].items() if found > limits[name]} == {}
    one, full = LIGHT_SMALL**2, LIGHT_SIDE**2
    # Marks are looked for on the host, which is given colour and visibility, and of two photos images of 8 bits to find
    # the flow between them, and the visibility of both to be written. Else there come back normal equations of nine
    # coefficients, measures of connected parts, and single numbers.
    together = [full, one, one] if photos == 2 else []
    assert sorted(size for size in told["to_host"] if size > 9**2) == sorted([*photos * [one, 3 * one], *together])
    # There go the marks, the face's seven regions, and the flow.
    flow = [2 * one] if photos == 2 else []
    images = sorted(size for size in told["to_device"] if size in (one, 2 * one, 3 * one))
    assert images == sorted([*photos * [*7 * [one], 3 * one], *flow])


def test_light_is_taken_off_on_the_device(library: Path, tmp_path: Path) -> None:
    told_of_delighting(run("delighting", library, tmp_path))


def test_light_is_taken_off_on_a_macs_gpu(library_mps: Path, tmp_path: Path) -> None:
    told_of_delighting(run("delighting", library_mps, tmp_path, "mps"))


def test_two_photos_are_merged_on_the_device(library: Path, tmp_path: Path) -> None:
    told_of_delighting(run("merging", library, tmp_path), photos=2)


def test_two_photos_are_merged_on_a_macs_gpu(library_mps: Path, tmp_path: Path) -> None:
    told_of_delighting(run("merging", library_mps, tmp_path, "mps"), photos=2)


def told_of_detail(told: dict) -> None:
    found = told["differences"]
    assert {name: apart for name, apart in found.items() if apart > AS_THEY_ARE[name]} == {}
    assert {name: ratio for name, ratio in told["strengths"].items() if abs(ratio - 1) > STRENGTH} == {}
    one, three, tables = SIDE**2, 3 * SIDE**2, 3000
    # The maps come back once: texture, albedo and normals, and specular albedo, displacement and roughness. All else is
    # places of patches and scalars.
    assert sorted(size for size in told["to_host"] if size > tables) == 3 * [one] + 3 * [three]
    # There go once: the photo's texture and the texels' triangles and weights. Two lattices of noise are as large, by
    # chance; they are drawn on the host, as all is that is random.
    assert sorted(size for size in told["to_device"] if size >= one) == 3 * [one] + 2 * [three]
    # At the working size: what was seen, its marks, and of the prior texture, albedo and relief; trust, shine, specular
    # albedo and the face's seven regions.
    working = sorted(size for size in told["to_device"] if size in (SMALL**2, 3 * SMALL**2))
    assert working == 10 * [SMALL**2] + 5 * [3 * SMALL**2]


def test_detail_is_made_on_the_device(library: Path, tmp_path: Path) -> None:
    told_of_detail(run("detailing", library, tmp_path))


def test_detail_is_made_on_a_macs_gpu(library_mps: Path, tmp_path: Path) -> None:
    told_of_detail(run("detailing", library_mps, tmp_path, "mps"))


def test_primitives_on_the_device_are_as_their_references(library: Path, tmp_path: Path) -> None:
    told_of_primitives(run("primitives", library, tmp_path))


def test_primitives_on_a_macs_gpu_are_as_their_references(library_mps: Path, tmp_path: Path) -> None:
    told_of_primitives(run("primitives", library_mps, tmp_path, "mps"))


def test_a_photo_is_sampled_on_the_device(library: Path, tmp_path: Path) -> None:
    told_of_unwrapping(run("unwrapping", library, tmp_path))


def test_a_photo_is_sampled_on_a_macs_gpu(library_mps: Path, tmp_path: Path) -> None:
    told_of_unwrapping(run("unwrapping", library_mps, tmp_path, "mps"))


def told_of_enlarging(told: dict) -> None:
    assert max(told["differences"]) < 1e-3  # a few windows are as near to two kinds
    assert [factor for factor, _ in told["factors"]] == [there for _, there in told["factors"]] == [2, 4]
    assert len(told["to_host"]) == 1  # how many windows are of each kind


def test_a_small_photo_is_enlarged_on_the_device(library: Path, tmp_path: Path) -> None:
    told_of_enlarging(run("enlarging", library, tmp_path))


def test_a_small_photo_is_enlarged_on_a_macs_gpu(library_mps: Path, tmp_path: Path) -> None:
    told_of_enlarging(run("enlarging", library_mps, tmp_path, "mps"))


def told_of_a_fit(told: dict) -> None:
    assert told["differences"].keys() == FIT_LIMITS.keys()
    assert {name: found for name, found in told["differences"].items() if found > FIT_LIMITS[name]} == {}
    # Nothing but sums and the normal equations of the head's 159 unknowns comes back, and no image.
    assert max(told["to_host"]) == 159**2


def told_of_coarse_completion(told: dict) -> None:
    assert told["differences"].keys() == DRAFT_LIMITS.keys()
    assert {name: found for name, found in told["differences"].items() if found > DRAFT_LIMITS[name]} == {}
    # What comes back are systems that are solved in double precision, of 576 unknowns at most, those one for each of
    # three channels in each of four rounds; sums at the mesh's vertices, a mask of 64 x 64 texels, and single numbers.
    assert [size for size in told["to_host"] if size > 25_000] == 12 * [576**2]


def test_the_linear_prior_completes_on_the_device(library: Path, tmp_path: Path) -> None:
    told_of_coarse_completion(run("coarse_completion", library, tmp_path))


def test_the_linear_prior_completes_on_a_macs_gpu(library_mps: Path, tmp_path: Path) -> None:
    told_of_coarse_completion(run("coarse_completion", library_mps, tmp_path, "mps"))


def test_shading_is_fitted_on_the_device(library: Path, tmp_path: Path) -> None:
    told_of_a_fit(run("shading_fit", library, tmp_path))


def test_shading_is_fitted_on_a_macs_gpu(library_mps: Path, tmp_path: Path) -> None:
    told_of_a_fit(run("shading_fit", library_mps, tmp_path, "mps"))


def told_of_a_whole_job(told: dict) -> None:
    assert {name: found for name, found in told["differences"].items() if found > 1e-3} == {}
    one, preview, systems = 512**2, 3 * 384**2, 576**2
    # What comes back are the five finished maps, to be encoded; a picture of the photo's texture, to be shown; colour
    # and visibility, for marks to be looked for; and systems of equations, to be solved.
    maps, marks = [one, one, 3 * one, 3 * one, 3 * one], [one, 3 * one]
    large = sorted(size for size in told["to_host"] if size > 26_000)
    assert large == sorted([*maps, *marks, preview, *12 * [systems]])


def test_a_whole_job_leaves_its_images_on_the_device(library: Path, tmp_path: Path) -> None:
    told_of_a_whole_job(run("whole", library, tmp_path))


def test_a_whole_job_leaves_its_images_on_a_macs_gpu(library_mps: Path, tmp_path: Path) -> None:
    told_of_a_whole_job(run("whole", library_mps, tmp_path, "mps"))


def test_the_stand_in_for_a_mac_refuses_double_precision_as_well(library_mps: Path, tmp_path: Path) -> None:
    told = run("refusal", library_mps, tmp_path, "mps")
    assert told["refused"] == 5
    assert told["device"] == "mps:0"


def test_completion_runs_on_a_macs_gpu(library_mps: Path, tmp_path: Path) -> None:
    told = run("completion", library_mps, tmp_path, "mps")
    assert told["device"] == "mps:0"
    likeliest, fair = told["differences"]
    assert likeliest < 1e-3  # single precision on both
    # A fair chain forgets less of its roundings than one that is drawn to the expectation.
    assert fair < 5e-3
