"""The whole method on a public-domain portrait, and its files. One reconstruction serves all tests here."""

from __future__ import annotations

import errno
import io
import json
from dataclasses import dataclass, fields, replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from backend import pipeline as pipeline_module
from backend.head.face_parts import PARTS
from backend.imaging.colour import LUMINANCE, linear_to_srgb, srgb_to_linear
from backend.output import describe, write_reconstruction
from backend.photo.reading import Photo
from backend.pipeline import Pipeline
from backend.progress import Progress, Stopwatch
from backend.reconstruction import FurtherSample, Reconstruction
from backend.texture.maps import SkinMaps
from backend.texture.regions import face_regions, plain_skin
from shared.corrections import Correction, Corrections, read_corrections
from shared.errors import JobCancelled, RelightifyError
from shared.head_mesh import HeadMesh
from shared.maps import MAPS, ROUGHNESS
from shared.options import JobOptions
from shared.stages import METHOD
from tests.backend.photo.painted_coverings import with_mask
from tests.landmark_model import landmark_model

pytestmark = pytest.mark.slow

data = pytest.importorskip("skimage.data")


def png(image: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(image).save(buffer, "PNG")
    return buffer.getvalue()


@dataclass
class Job:
    """A finished job and the reports that came while it ran."""

    pipeline: Pipeline
    result: Reconstruction
    reports: list[tuple[str, float, np.ndarray | None]]


@pytest.fixture(scope="module")
def job() -> Job:
    with landmark_model():
        pipeline = Pipeline("cpu")
    reports: list[tuple[str, float, np.ndarray | None]] = []
    progress = Progress(callback=lambda *report: reports.append(report))
    return Job(pipeline, pipeline.reconstruct(png(data.astronaut()), JobOptions(resolution=512), progress), reports)


def test_the_result_is_a_head_with_maps_of_the_size_asked_for(job: Job) -> None:
    result = job.result
    assert result.maps.resolution == 512
    assert result.mesh.vertices.shape == job.pipeline.model.mean.shape
    assert result.mesh.image_size.tolist() == [512, 512]
    smile = result.mesh.expression_weights[result.mesh.expression_names.tolist().index("mouthSmileLeft")]
    assert smile > 0.3
    assert result.peak_memory_bytes is None or result.peak_memory_bytes < 3 * 2**30
    assert list(result.timings) == [stage.name for stage in METHOD]


@pytest.mark.parametrize("masked", [False, True])
def test_looking_around_the_face_beside_the_fit_changes_nothing(
    job: Job, masked: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    image = data.astronaut()
    if masked:
        image, _ = with_mask(image, job.pipeline.detector.detect(Photo(image))[0], (140.0, 180.0, 205.0))
    found = []
    for cores in (1, 2):
        monkeypatch.setattr(pipeline_module, "usable_cores", lambda cores=cores: cores)
        found.append(job.pipeline.prepare(png(image), 512, (None,), Stopwatch(Progress())))
    (one, (by_one,), _), (two, (by_two,), _) = found
    assert (by_two.view.bare_skin is not None) == masked
    assert by_two.view.face.warnings == by_one.view.face.warnings
    np.testing.assert_array_equal(two.fit.identity, one.fit.identity)
    np.testing.assert_array_equal(two.fit.light, one.fit.light)
    np.testing.assert_array_equal(by_two.partial.visibility, by_one.partial.visibility)


def test_the_light_turns_the_albedo_into_the_photo(job: Job) -> None:
    maps, fit, space = job.result.maps, job.result.fit, job.pipeline.uv_space(512)
    transfer = space.interpolate(job.pipeline.model.radiance_transfer(fit.vertices(job.pipeline.model)))
    seen = maps.visibility > 0.9
    shown = srgb_to_linear(maps.diffuse_albedo_srgb[seen]) * (transfer[seen] @ fit.light)
    ratio = np.median(shown / srgb_to_linear(maps.texture_srgb[seen]), axis=0)
    np.testing.assert_allclose(ratio, 1, atol=0.1)
    assert job.result.mesh.environment.min() >= 0


def test_a_photo_without_colour_gives_skin_of_skin_colour(job: Job) -> None:
    linear = srgb_to_linear(data.astronaut() / 255.0) @ LUMINANCE
    grey = np.repeat(np.round(255 * linear_to_srgb(linear)).astype(np.uint8)[..., None], 3, axis=-1)
    result = job.pipeline.reconstruct(png(grey), JobOptions(resolution=512, quality="draft"), Progress())
    regions = face_regions(job.pipeline.model, job.pipeline.uv_space(512))
    seen = (result.maps.visibility > 0.9) & (job.result.maps.visibility > 0.9)
    skin, lips = seen & (plain_skin(regions) > 0.5), seen & (regions.lips > 0.7)
    found, coloured = (
        [np.median(srgb_to_linear(maps.diffuse_albedo_srgb)[part], axis=0) for part in (skin, lips)]
        for maps in (result.maps, job.result.maps)
    )
    for ours, theirs in zip(found, coloured, strict=True):
        ratios = np.log(ours / ours[1]) - np.log(theirs / theirs[1])
        # Grey taken for a colour is off by 0.35, and the light is blue.
        assert np.abs(ratios).max() < 0.2
    # The light is about white: grey taken for a colour gives 0.42.
    light = result.fit.light[0]
    assert np.ptp(np.log(light)) < 0.25
    assert any("no colour" in warning for warning in result.warnings)


def test_progress_rises_to_one_with_previews_of_landmarks_texture_and_maps(job: Job) -> None:
    fractions = [fraction for _, fraction, _ in job.reports]
    assert fractions == sorted(fractions)
    assert fractions[-1] == 1
    previews = {stage: preview for stage, _, preview in job.reports if preview is not None}
    assert {"photo", "unwrap", "light"} <= set(previews)
    for preview in previews.values():
        assert preview.dtype == np.uint8
        assert max(preview.shape[:2]) <= 512
        assert preview.std() > 5


def test_cancelling_stops_between_stages(job: Job) -> None:
    seen: list[str] = []
    progress = Progress(callback=lambda stage, *_: seen.append(stage), cancelled=lambda: "photo" in seen)
    with pytest.raises(JobCancelled):
        job.pipeline.reconstruct(png(data.astronaut()), JobOptions(resolution=512), progress)
    assert "unwrap" not in seen


def test_a_quality_that_is_not_installed_is_an_error_that_names_those_that_are(
    job: Job, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delitem(job.pipeline.priors, "high")
    with pytest.raises(RelightifyError) as raised:
        job.pipeline.reconstruct(b"", JobOptions(quality="high"), Progress())
    assert raised.value.code == "quality_unavailable"
    assert "baseline" in raised.value.hint


def test_several_samples_of_a_quality_without_chance_are_a_usage_error_before_anything_is_read(job: Job) -> None:
    with pytest.raises(RelightifyError) as raised:
        job.pipeline.reconstruct(b"", JobOptions(quality="baseline", samples=2), Progress())
    assert raised.value.code == "bad_option"
    assert "baseline" in str(raised.value)


def test_the_files_hold_the_result(job: Job, tmp_path: Path) -> None:
    folder = tmp_path / "deep" / "out"
    written = write_reconstruction(job.result, job.pipeline.model, folder)
    assert {p.name for p in written} == {
        *("head.obj", "head.mtl", "mesh.npz", "reconstruction.json"),
        *(spec.file_name for spec in MAPS),
        ROUGHNESS.file_name,
    }
    mesh = HeadMesh.load(folder / "mesh.npz")
    for item in fields(HeadMesh):
        np.testing.assert_array_equal(getattr(mesh, item.name), getattr(job.result.mesh, item.name))
    maps = SkinMaps.decode({spec.name: (folder / spec.file_name).read_bytes() for spec in MAPS})
    np.testing.assert_allclose(maps.diffuse_albedo_srgb, job.result.maps.diffuse_albedo_srgb, atol=0.003)
    described = json.loads((folder / "reconstruction.json").read_text())
    assert len(described["identity"]) == 100
    assert described["expression"]["mouthSmileLeft"] > 0.3
    assert described["versions"]["numpy"] == np.__version__
    sure = described["confidence"]
    assert set(sure["expected_error_mm"]) == set(PARTS)
    assert 0.5 < min(sure["expected_error_mm"].values()) <= max(sure["expected_error_mm"].values()) < 4
    assert sure["causes"]["smile"] > 0.3
    shares = described["detail"]["shares"]
    assert abs(shares["seen"] + shares["continued"] + shares["made"] - 1) < 1e-3
    assert shares["seen"] > 0.1
    assert sorted(p.name for p in tmp_path.iterdir()) == ["deep"]


def test_the_obj_file_has_quads_with_uvs_in_a_group_per_part(job: Job, tmp_path: Path) -> None:
    write_reconstruction(job.result, job.pipeline.model, tmp_path)
    lines = [line.split() for line in (tmp_path / "head.obj").read_text().splitlines()]
    model = job.pipeline.model
    points = np.array([line[1:] for line in lines if line[0] == "v"], float)
    np.testing.assert_allclose(points, job.result.fit.vertices(model), atol=1e-6)
    assert [line[1] for line in lines if line[0] == "g"] == list(model.part_names)
    faces = [line[1:] for line in lines if line[0] == "f"]
    assert len(faces) == len(model.quads)
    corners = np.array([c.split("/") for face in faces for c in face], int)
    assert corners.min() == 1
    assert corners.max(0).tolist() == [len(model.mean), len(model.uv)]
    materials = {line[1] for line in lines if line[0] == "usemtl"}
    defined = {x.split()[1] for x in (tmp_path / "head.mtl").read_text().splitlines() if x.startswith("newmtl")}
    assert materials == defined


def test_writing_again_replaces_the_files_and_leaves_others(job: Job, tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine")
    write_reconstruction(job.result, job.pipeline.model, tmp_path)
    (tmp_path / "head.obj").write_text("old")
    write_reconstruction(job.result, job.pipeline.model, tmp_path)
    assert (tmp_path / "head.obj").read_text().startswith("# Relightify")
    assert (tmp_path / "notes.txt").read_text() == "mine"


def test_further_samples_lie_in_folders_of_their_own_and_are_listed(job: Job, tmp_path: Path) -> None:
    files = job.result.maps.encode()
    further = tuple(FurtherSample(seed, files, job.result.fit.light) for seed in (1, 2))
    for _ in range(2):  # a second time over the first
        written = write_reconstruction(replace(job.result, further=further), job.pipeline.model, tmp_path / "new")
    assert len(written) == 4 + 3 * (len(MAPS) + 1)  # roughness as well
    for folder in ("sample_2", "sample_3"):
        assert {p.name for p in (tmp_path / "new" / folder).iterdir()} == {s.file_name for s in (*MAPS, ROUGHNESS)}
        assert (tmp_path / "new" / folder / "normal.png").read_bytes() == files["normal"]
    described = json.loads((tmp_path / "new" / "reconstruction.json").read_text())
    assert [(s["folder"], s["seed"]) for s in described["further_samples"]] == [("sample_2", 1), ("sample_3", 2)]
    assert np.shape(described["further_samples"][0]["light_sh"]) == (9, 3)


@pytest.mark.parametrize(("number", "code"), [(errno.ENOSPC, "disk_full"), (errno.EACCES, "cannot_write")])
def test_a_disk_that_fills_up_leaves_nothing_half_written(
    job: Job, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int, code: str
) -> None:
    def fails(self: Path, *_: object, **__: object) -> int:
        raise OSError(number, "the disk says no")

    monkeypatch.setattr(Path, "write_text", fails)  # by then mesh and maps are written
    with pytest.raises(RelightifyError) as raised:
        write_reconstruction(job.result, job.pipeline.model, tmp_path / "out")
    assert raised.value.code == code
    assert list(tmp_path.iterdir()) == []


def test_warnings_reach_the_result(job: Job) -> None:
    assert job.result.warnings == job.result.face.warnings
    assert replace(job.result, warnings=("blurred",)).warnings == ("blurred",)


def test_a_corrected_head_goes_through_its_points_and_says_what_it_was_before(job: Job) -> None:
    pipeline, before = job.pipeline, job.result.fit
    landmark = 152
    x, y = before.camera.project(pipeline.model.landmarks(before.vertices(pipeline.model))[landmark])
    corrections = Corrections((Correction((float(x), float(y) + 6.0), landmark=landmark),))
    options = JobOptions(quality="draft", resolution=512)
    done = pipeline.reconstruct(png(data.astronaut()), options, Progress(), corrections=corrections)
    posed = done.mesh.vertices + np.tensordot(done.mesh.expression_weights, done.mesh.expression_offsets, 1)
    there = done.fit.camera.project(pipeline.model.landmarks(posed)[landmark])
    np.testing.assert_allclose(there, [x, y + 6.0], atol=1.0)
    said = json.loads(json.dumps(describe(done, pipeline.model)))
    assert read_corrections(said) == corrections
    np.testing.assert_allclose(said["uncorrected"]["identity"], before.identity, atol=1e-5)
    assert describe(job.result, pipeline.model)["uncorrected"] is None


def test_two_photos_of_one_person_make_one_head_and_are_listed(job: Job, tmp_path: Path) -> None:
    image = data.astronaut()
    dim = np.round(255 * linear_to_srgb(0.6 * srgb_to_linear(image / 255))).astype(np.uint8)
    result = job.pipeline.reconstruct([png(image), png(dim[:, 20:])], JobOptions(resolution=512), Progress())
    assert result.fit.numbers == (0, 1)
    assert result.mesh.vertices.shape == job.result.mesh.vertices.shape
    seen = job.result.maps.visibility > 0.9
    difference = np.abs(result.maps.diffuse_albedo_srgb - job.result.maps.diffuse_albedo_srgb)[seen]
    assert difference.mean() < 0.04
    write_reconstruction(result, job.pipeline.model, tmp_path / "out")
    photos = json.loads((tmp_path / "out" / "reconstruction.json").read_text())["photos"]
    assert [photo["number"] for photo in photos] == [1, 2]
    assert sum(photo["share_of_seen_skin"] for photo in photos) == pytest.approx(1, abs=1e-3)
    assert photos[1]["camera"]["width_px"] == image.shape[1] - 20
