"""The table `identity` on people that are known in advance, and the renders that it looks at."""

from __future__ import annotations

import argparse
import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch

from backend.evaluation import command as cli
from backend.evaluation import identity
from backend.evaluation.head_renders import Render, Sitter, Studio, framed, render, turned
from backend.evaluation.identity import COLOURS, OVER, PHOTOGRAPHS, light_of, over_photo
from backend.evaluation.parameters import HeadRenderSettings
from backend.evaluation.recognition import recognition
from backend.evaluation.sittings import Picture, Sitting, sitting_of
from backend.evaluation.tables import Row
from backend.head.head_fit import HeadFit, ViewFit
from backend.head.model import HeadModel, load_head_model
from backend.identity.embedder import FaceEmbedder, load_face_embedder
from backend.imaging.colour import linear_to_srgb, srgb_to_linear
from backend.rendering.camera import Camera
from backend.rendering.occlusion import sphere_directions
from backend.rendering.rasteriser import EmbreeRasteriser
from backend.rendering.spherical_harmonics import irradiance, project_radiance
from backend.texture.maps import SkinMaps
from backend.texture.uv_space import uv_space
from tests.landmark_model import landmark_model

GOLDEN = Path(__file__).parents[2] / "golden"
SMALL = HeadRenderSettings(side_px=96, texels=128, shading_texels=64, directions=64)
# A head 0.9 m before the camera, the face about 60 of 96 pixels high.
CAMERA = Camera(np.eye(3), np.array([0.0, 0.02, -0.9]), 280.0, (48.0, 48.0), 96, 96)
ALBEDO = np.array([0.45, 0.30, 0.22])


@pytest.fixture(scope="module")
def model() -> HeadModel:
    return load_head_model()


@pytest.fixture(scope="module")
def sitter(model: HeadModel) -> Sitter:
    """The mean head, one colour all over, without gloss."""
    side = SMALL.texels
    normal = np.zeros((side, side, 3), np.float32)
    normal[..., 2] = 1
    colour = np.broadcast_to(linear_to_srgb(ALBEDO), (side, side, 3)).astype(np.float32)
    visibility = np.ones((side, side), np.float32)
    visibility[:, : side // 2] = 0
    maps = SkinMaps(colour * 0.5, colour, np.zeros((side, side), np.float32), normal, visibility)
    studio = Studio(model, EmbreeRasteriser(), uv_space(model, side), SMALL)
    return Sitter(studio, np.zeros(100, np.float32), np.zeros(52, np.float32), maps, np.full((2, 3), 0.25))


def at(drawn: Render, landmark: int) -> np.ndarray:
    """The colour at a landmark."""
    x, y = drawn.landmarks_px[landmark]
    return drawn.linear[int(y), int(x)]


def test_skin_in_even_light_shows_its_albedo_and_the_iris_its_own(sitter: Sitter) -> None:
    drawn = render(sitter, CAMERA, np.ones((SMALL.directions, 3)))
    forehead, right_iris = at(drawn, 151), at(drawn, 468)
    # Open skin; gloss at no specular albedo still has its grazing light.
    np.testing.assert_allclose(forehead, ALBEDO, rtol=0.12)
    assert right_iris.max() < 0.1
    assert drawn.covered[int(drawn.landmarks_px[1, 1]), int(drawn.landmarks_px[1, 0])] == pytest.approx(1)
    assert drawn.covered[0, 0] == 0
    assert not drawn.linear[drawn.covered == 0].any()


def test_side_that_the_photo_showed_is_known_and_lit_from_the_side_it_is_brighter(sitter: Sitter) -> None:
    light = np.where(sitter.studio.directions[:, :1] > 0.3, 2.0, 0.05) * np.ones(3)
    drawn = render(sitter, CAMERA, light)
    left, right = at(drawn, 280), at(drawn, 50)  # cheeks; the light comes from the subject's left
    assert left.mean() > 3 * right.mean()
    seen = [drawn.seen[int(drawn.landmarks_px[n, 1]), int(drawn.landmarks_px[n, 0])] for n in (280, 50)]
    assert seen == [pytest.approx(1), pytest.approx(0)]


def test_colours_given_are_shown_as_they_are_and_laid_over_the_photo(sitter: Sitter) -> None:
    drawn = render(sitter, CAMERA, np.ones((SMALL.directions, 3)), sitter.photo_colours)
    np.testing.assert_allclose(at(drawn, 151), srgb_to_linear(linear_to_srgb(ALBEDO) * 0.5), rtol=0.02)
    photo = np.full((96, 96, 3), 0.7)
    laid = over_photo(drawn, photo)
    x, y = (int(v) for v in drawn.landmarks_px[280])
    np.testing.assert_allclose(laid[y, x], linear_to_srgb(ALBEDO) * 0.5, atol=0.02)
    x, y = (int(v) for v in drawn.landmarks_px[50])
    np.testing.assert_allclose(laid[y, x], 0.7, atol=1e-6)


def test_camera_goes_round_the_head_towards_its_left(model: HeadModel) -> None:
    centre = np.array([0.0, 0.0, 0.05])
    gone = turned(CAMERA, 30, centre)
    np.testing.assert_allclose(gone.project(centre), CAMERA.project(centre), atol=1e-9)
    assert np.linalg.norm(gone.position - centre) == pytest.approx(np.linalg.norm(CAMERA.position - centre))
    away = gone.position - centre
    assert np.degrees(np.arctan2(away[0], away[2])) == pytest.approx(30, abs=1.5)


def test_cut_out_shows_the_points_in_its_middle() -> None:
    points = np.array([[20.0, 30.0], [60.0, 50.0]])
    cut, to_cut = framed(CAMERA, points, SMALL)
    assert cut.width == cut.height == 96
    np.testing.assert_allclose(points.mean(0) @ to_cut[:, :2].T + to_cut[:, 2], (48, 48))
    spread = points @ to_cut[:, :2].T
    assert np.ptp(spread[:, 0]) == pytest.approx(96 / SMALL.margin)
    point = np.array([0.01, -0.02, 0.0])
    np.testing.assert_allclose(cut.project(point), CAMERA.project(point) @ to_cut[:, :2].T + to_cut[:, 2])


def test_light_of_a_photo_keeps_what_it_does_to_matt_surfaces() -> None:
    light = np.zeros((9, 3))
    light[0], light[2], light[3] = (2.0, 1.9, 1.8), 0.8, 0.4
    view = ViewFit(np.zeros(52), CAMERA, light, np.full(3, 0.4), 50.0, 0.01, np.zeros(478), 0.1, 0.1, True)
    directions = sphere_directions(256)
    radiance = light_of(HeadFit(np.zeros(100), (view,)), directions)
    back = project_radiance(directions, radiance, np.full(256, 4 * np.pi / 256))
    normals = np.array([[0, 0, 1.0], [0.6, 0, 0.8], [0, -0.6, 0.8]])
    np.testing.assert_allclose(irradiance(normals, back), irradiance(normals, light), rtol=0.04)


def test_recognition_counts_first_places_pairs_and_spread() -> None:
    likeness = np.array([[0.9, 0.1, 0.3], [0.5, 0.4, 0.0], [0.2, 0.2, 0.2]])
    found = recognition(likeness, ["a", "b", "nobody"], ["a", "b", "c"])
    assert found.pictures == 2
    assert found.first == 0.5
    # Own 0.9, 0.4 against 0.1, 0.3, 0.5, 0.0: seven of the eight pairs are in order.
    assert found.area == pytest.approx(7 / 8)
    assert found.own == pytest.approx(0.65)
    assert found.others == pytest.approx(0.225)
    spread = np.sqrt((0.25**2 + np.var([0.1, 0.3, 0.5, 0.0])) / 2)
    assert found.distance == pytest.approx((0.65 - 0.225) / spread)
    with pytest.raises(ValueError, match="nobody"):
        recognition(likeness[:, :1], ["a", "b", "c"], ["a"])


@pytest.fixture(scope="module")
def embedder() -> FaceEmbedder:
    return load_face_embedder()


def test_table_says_who_is_recognised_and_how_near_the_ceiling(
    embedder: FaceEmbedder, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    directions = torch.eye(128)[:3]
    mean = embedder.get_buffer("mean")
    first = {name: mean + directions[n] for n, name in enumerate("abc")}
    # A second photo of two of them, at 45 degrees from the first: the ceiling is 0.707.
    second = {name: mean + directions[n] + torch.eye(128)[10 + n] for n, name in enumerate("ab")}
    pictures = [Picture("draft", OVER, name, embedding) for name, embedding in first.items()]
    lost = [Picture("baseline", OVER, name, mean + directions[0]) for name in "abc"]
    photos = [Picture(PHOTOGRAPHS, OVER, name, embedding) for name, embedding in first.items()]
    identity.write([*pictures, *lost, *photos], [], first, second, {}, tmp_path, embedder)
    capsys.readouterr()
    together = json.loads((tmp_path / "identity_recognition.json").read_text())
    rows = {row["prior"]: row for row in together["rows"]}
    assert rows["draft"]["rank-1"] == 1
    assert rows["draft"]["second: own"] == pytest.approx(0.7071, abs=1e-3)
    assert rows["draft"]["of the ceiling"] == pytest.approx(1)
    assert rows["baseline"]["rank-1"] == pytest.approx(1 / 3, abs=1e-4)
    assert rows["baseline"]["of the ceiling"] == pytest.approx(0.5, abs=1e-3)
    assert f"reached: {OVER}, draft: 3 of 3 first, 100% wanted" in together["verdicts"]
    assert f"MISSED: {OVER}, baseline: 1 of 3 first, 100% wanted" in together["verdicts"]
    each = json.loads((tmp_path / "identity.json").read_text())["rows"]
    (row,) = [r for r in each if r["prior"] == "draft" and r["subject"] == "c"]
    assert row["own"] == pytest.approx(1)
    assert row["second"] is None
    assert row["nearest other"] == pytest.approx(0, abs=1e-5)


def test_what_a_stopped_run_looked_at_is_read_back_as_it_was() -> None:
    directions = torch.eye(128)
    row = Row("draft", OVER, "c", {"L1": float("nan")})
    sitting = Sitting("c", directions[0], None, [Picture("draft", OVER, "c", directions[1] / 3)], [row])
    back = sitting_of(json.loads(json.dumps(sitting.record())))
    assert torch.equal(back.first, sitting.first)
    assert back.second is None
    assert (back.pictures[0].condition, back.pictures[0].person) == (OVER, "c")
    assert torch.equal(back.pictures[0].embedding, sitting.pictures[0].embedding)
    assert np.isnan(back.rows[0].values["L1"])
    second = sitting_of(Sitting("c", directions[0], directions[2], [], []).record()).second
    assert second is not None
    assert torch.equal(second, directions[2])


@pytest.mark.slow
def test_public_portraits_are_recognised_in_their_heads(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("astronaut", "portrait"):
        shutil.copy(GOLDEN / f"{name}.jpg", tmp_path / f"{name}_neutral.jpg")
    people = [{"id": name, "split": "heldout"} for name in ("astronaut", "portrait")]
    (tmp_path / "index.json").write_text(json.dumps(people))
    parser = argparse.ArgumentParser()
    cli.add_arguments(parser)
    out = tmp_path / "out"
    with landmark_model():
        options = ["identity", "--portraits", str(tmp_path), "--out", str(out), "--quality", "draft"]
        assert cli.run(parser.parse_args(options)) == 0
    capsys.readouterr()
    table = json.loads((out / "identity_recognition.json").read_text())
    rows = {(row["prior"], row["condition"]): row for row in table["rows"]}
    for condition in identity.CONDITIONS:
        assert rows["draft", condition]["rank-1"] == 1
    assert rows["draft", OVER]["own"] > 0.75
    assert rows[f"{COLOURS} (draft)", OVER]["own"] > 0.9
    assert (out / "identity" / "astronaut.png").is_file()
