"""The examples of the page on the Python API do what they say, on a public-domain portrait in draft quality."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest
from PIL import Image

from shared.head_mesh import HeadMesh
from shared.maps import MAPS
from shared.options import JobOptions
from tests.backend.service.running import running_server
from tests.landmark_model import landmark_model

FOLDER = Path(__file__).resolve().parent.parent / "docs" / "developer"
SMALL = JobOptions(quality="draft", resolution=512)

data = pytest.importorskip("skimage.data")


def example(name: str) -> ModuleType:
    """An example as a module; it runs nothing by itself."""
    spec = importlib.util.spec_from_file_location(name, FOLDER / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    path = tmp_path / "astronaut.png"
    Image.fromarray(data.astronaut()).save(path)
    return path


def test_the_example_of_the_pipeline_writes_a_head_and_its_maps(photo: Path, tmp_path: Path) -> None:
    with landmark_model():
        files = example("example_pipeline").main(photo, tmp_path / "out", SMALL)
    names = {file.name for file in files}
    assert {"head.obj", "mesh.npz", "reconstruction.json", *(spec.file_name for spec in MAPS)} <= names
    assert all(file.is_file() for file in files)


def test_the_example_of_the_client_keeps_the_maps_that_come_back(photo: Path, tmp_path: Path) -> None:
    # The line is what the example shows; the head behind it may be a made-up one.
    with running_server() as connection:
        result = example("example_client").main(photo, tmp_path / "out", SMALL, connection)
    assert (tmp_path / "out" / "diffuse_albedo.png").read_bytes() == bytes(result.maps["diffuse_albedo"])
    assert HeadMesh.load(tmp_path / "out" / "mesh.npz").vertices.shape == result.mesh.vertices.shape
