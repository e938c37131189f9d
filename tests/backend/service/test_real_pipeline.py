"""The whole backend over the wire: a public-domain portrait goes in, a head comes out."""

from __future__ import annotations

import io
import json
import shutil
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import ExifTags, Image

from backend.photo.networks.model_file import FACE_LANDMARKER, SEGMENTER, fetched_model
from backend.service.client import Client
from backend.service.worker_process import WorkerSettings
from shared.corrections import Correction, Corrections
from shared.errors import RelightifyError
from shared.maps import MAPS
from shared.messages import JobProgress, Result
from shared.options import JobOptions
from shared.paths import CACHE_VARIABLE
from shared.photos import photo_of
from shared.refit_messages import fit_state
from tests.backend.service.running import error_of, running_server

pytestmark = pytest.mark.slow

# Official portraits, works of the United States government; see `tests/backend/identity/test_embedder.py`.
FACES = Path(__file__).resolve().parents[1] / "identity"

data = pytest.importorskip("skimage.data")


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    """A client of a server with the real pipeline, in a cache folder that holds the models and nothing else."""
    try:
        models = [fetched_model(model) for model in (FACE_LANDMARKER, SEGMENTER)]
    except RelightifyError as error:
        pytest.skip(str(error))
    folder = tmp_path_factory.mktemp("cache")
    for path in models:
        shutil.copy(path, folder / path.name)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(CACHE_VARIABLE, str(folder))
        settings = replace(WorkerSettings(), device="cpu")
        with running_server(worker=settings) as connection, Client(connection) as client:
            yield client


def png(image: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(image).save(buffer, "PNG")
    return buffer.getvalue()


def test_a_portrait_comes_back_as_a_head_with_all_maps(client: Client) -> None:
    *reports, result = client.reconstruct(png(data.astronaut()), JobOptions(resolution=512), "astronaut.png")
    assert isinstance(result, Result)
    assert len(result.mesh.expression_names) == 52
    assert result.mesh.image_size.tolist() == [512, 512]
    for spec in MAPS:
        image = Image.open(io.BytesIO(result.maps[spec.name]))
        assert image.size == (512, 512), spec.name
    assert json.loads(json.dumps(result.info))["options"]["resolution"] == 512
    progress = [report for report in reports if isinstance(report, JobProgress)]
    assert [report.fraction for report in progress] == sorted(report.fraction for report in progress)
    assert len([report for report in progress if report.preview is not None]) >= 3


def test_a_photo_without_a_face_is_an_error_that_says_so(client: Client) -> None:
    error = error_of(client, png(np.full((256, 256, 3), 128, np.uint8)))
    assert error.code == "no_face"
    assert error.hint


def test_bytes_that_are_no_photo_are_an_error(client: Client) -> None:
    assert error_of(client, b"not a photo").code.startswith("photo_")


def test_the_face_of_a_portrait_is_found_with_a_thumbnail(client: Client) -> None:
    found = client.detect(png(data.astronaut()), "astronaut.png")
    assert found.problems == ("",)
    x0, y0, x1, y1 = found.boxes[0]
    assert 0.3 < x0 < 0.45 < x1 < 0.6
    assert 0.05 < y0 < 0.25 < y1 < 0.45
    assert found.photo.shape == (512, 512, 3)
    assert found.thumbnails.shape[0] == 1


def test_a_portrait_is_refitted_in_milliseconds_as_a_job_with_the_corrections_makes_it(client: Client) -> None:
    photo, options = png(data.astronaut()), JobOptions(quality="draft", resolution=512)
    *_, first = client.reconstruct(photo, options)
    assert isinstance(first, Result)
    fit = fit_state(first.info)
    whole = client.refit(fit, Corrections())
    np.testing.assert_allclose(whole.vertices, first.mesh.vertices, atol=1e-5)
    chin = whole.handle_names.tolist().index("chin")
    posed = whole.vertices + np.tensordot(whole.expression, first.mesh.expression_offsets, 1)
    point = whole.handle_weights[chin] @ posed[whole.handle_vertices[chin]]
    x, y, z = fit.camera_rotation @ point + fit.camera_translation
    below = fit.camera_centre_px + fit.camera_focal_px * np.array([x, -y]) / -z + [0, 5]
    corrections = Corrections((Correction((float(below[0]), float(below[1])), handle="chin"),))
    started = time.monotonic()
    moved = [client.refit(fit, corrections) for _ in range(5)][-1]
    assert (time.monotonic() - started) / 5 < 1.0
    *_, second = client.messages(client.submit(photo, options, corrections=corrections))
    assert isinstance(second, Result)
    np.testing.assert_allclose(second.mesh.vertices, moved.vertices, atol=2e-4)
    np.testing.assert_array_equal(fit_state(second.info).identity, fit.identity)


def test_several_photos_come_back_with_a_light_and_an_upright_copy_of_each(client: Client) -> None:
    grey = png(np.full((256, 256, 3), 128, np.uint8))
    sideways = io.BytesIO()
    with Image.open(FACES / "obama_2009.jpg") as photo:
        exif = photo.getexif()
        exif[ExifTags.Base.Orientation] = 6
        photo.transpose(Image.Transpose.ROTATE_90).save(sideways, "JPEG", quality=95, exif=exif)
    further = [(FACES / "obama_2012.jpg").read_bytes(), sideways.getvalue()]
    *_, result = client.reconstruct(grey, JobOptions(quality="draft", resolution=512), further=further)
    assert isinstance(result, Result)
    assert result.warnings[0].startswith("Photo 1 is left out: ")
    assert photo_of(result.warnings[0]) == 1
    assert [photo["number"] for photo in result.info["photos"]] == [2, 3]
    assert list(result.further_lights) == ["3"], "that of the second is the mesh's"
    assert result.further_lights["3"].shape == result.mesh.environment.shape
    assert result.further_lights["3"].min() >= 0
    assert not np.allclose(result.further_lights["3"], result.mesh.environment, rtol=0.1)
    assert "photo" not in result.maps, "its file is upright"
    upright = Image.open(io.BytesIO(result.maps["photo_3"]))
    assert upright.size == (240, 240)
    with Image.open(FACES / "obama_2009.jpg") as photo:
        difference = np.asarray(upright, np.float32) - np.asarray(photo.convert("RGB"), np.float32)
    assert np.abs(difference).mean() < 5
