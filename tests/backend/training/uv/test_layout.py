"""The skin layout on the shipped head: what the issue asks of it."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from backend.head.head_parts import REGIONS, proportions, region_of
from backend.head.model import HeadModel, load_head_model
from backend.training.uv.layout import BORDER, SkinUV, skin_uv
from backend.training.uv.metric import LayoutStyle, away_from_face, densities
from backend.training.uv.report import SkinUVFigures, measure_skin_uv, write_skin_uv_report

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def model() -> HeadModel:
    return load_head_model()


@pytest.fixture(scope="module")
def skin(model: HeadModel) -> np.ndarray:
    return model.quads[model.part_faces("skin")]


@pytest.fixture(scope="module")
def layout(model: HeadModel, skin: np.ndarray) -> SkinUV:
    return skin_uv(model.mean, skin, model.mirror)


@pytest.fixture(scope="module")
def figures(model: HeadModel, skin: np.ndarray, layout: SkinUV) -> SkinUVFigures:
    return measure_skin_uv(model.mean, skin, model.mirror, layout)


def test_layout_uses_most_of_the_square_and_keeps_its_border(figures: SkinUVFigures, layout: SkinUV) -> None:
    assert figures.used >= 0.7
    assert figures.border >= BORDER - 1e-6
    # It fills the square up to the border on all four sides.
    np.testing.assert_allclose(layout.uv.min(axis=0), BORDER, atol=0.005)
    np.testing.assert_allclose(layout.uv.max(axis=0), 1 - BORDER, atol=0.005)


def test_at_least_half_of_the_map_shows_the_face(figures: SkinUVFigures) -> None:
    assert figures.face_share >= 0.5


def test_flipped_map_is_the_mirrored_face_to_the_last_bit(figures: SkinUVFigures) -> None:
    assert figures.mirror_error == 0


def test_no_quad_is_flipped_or_folded_and_none_overlap(figures: SkinUVFigures) -> None:
    assert figures.flipped == 0
    assert figures.overlapping_texels == 0


def test_face_keeps_its_shape_and_an_even_density(figures: SkinUVFigures) -> None:
    face = figures.regions["face"]
    assert face.anisotropy[0] < 1.5
    assert face.anisotropy[1] < 2.2
    assert face.density[0] > 0.75
    assert face.density[2] < 1.25


def test_density_has_no_sudden_jumps(figures: SkinUVFigures) -> None:
    assert figures.neighbour_ratio[1] < 1.5


def test_layout_is_upright_with_level_eyes(model: HeadModel, layout: SkinUV) -> None:
    uv_of = np.zeros((len(model.mean), 2))
    uv_of[layout.uv_vertex] = layout.uv
    # MediaPipe: forehead, chin; the left eye's inner and outer corner; the right eye's outer corner.
    at = np.einsum("lk,lkd->ld", model.landmark_barycentric, uv_of[model.landmark_triangles])
    forehead, chin, inner, outer, other = at[[10, 152, 362, 263, 33]]
    assert forehead[1] - chin[1] > 0.4
    assert abs(inner[1] - outer[1]) < 0.2 * (outer[0] - inner[0])
    assert outer[0] > 0.5 > other[0]


def test_seam_runs_behind_the_head_only(model: HeadModel, layout: SkinUV) -> None:
    vertex, count = np.unique(layout.uv_vertex, return_counts=True)
    seam = vertex[count == 2]
    assert len(seam) > 5
    assert np.abs(model.mean[seam, 0]).max() < 1e-6
    assert model.mean[seam, 2].max() < proportions(model.mean, model.mirror).ear[1] + 0.005


def test_uv_quads_go_corner_by_corner_with_the_skin(skin: np.ndarray, layout: SkinUV) -> None:
    np.testing.assert_array_equal(layout.uv_vertex[layout.uv_quads], skin)
    assert layout.uv.dtype == np.float32
    assert layout.uv_quads.dtype == np.int32


def test_layout_is_the_same_every_time(model: HeadModel, skin: np.ndarray, layout: SkinUV) -> None:
    np.testing.assert_array_equal(skin_uv(model.mean, skin, model.mirror).uv, layout.uv)


def test_right_half_of_the_shape_does_not_matter(model: HeadModel, skin: np.ndarray, layout: SkinUV) -> None:
    # Only the left half is flattened, so an asymmetric head still gets a symmetric layout.
    lopsided = np.where(model.mean[:, :1] < -0.01, model.mean * [1, 1.02, 1], model.mean)
    again = skin_uv(lopsided, skin, model.mirror)
    mirrored = {int(v): uv for v, uv in zip(again.uv_vertex, again.uv, strict=True)}
    assert measure_skin_uv(model.mean, skin, model.mirror, again).mirror_error == 0
    assert len(mirrored) == len(np.unique(layout.uv_vertex))


def test_closed_mouth_opening_is_an_error(model: HeadModel, skin: np.ndarray) -> None:
    with_hole = skin[~(skin == skin[0, 0]).any(axis=1)]
    with pytest.raises(ValueError, match="halves"):
        skin_uv(model.mean, with_hole, model.mirror)


def test_figures_notice_flips_overlaps_and_asymmetry(model: HeadModel, skin: np.ndarray, layout: SkinUV) -> None:
    spoilt = layout.uv.copy()
    inner = int(layout.uv_quads[(np.abs(layout.uv[layout.uv_quads] - [0.7, 0.5]).sum((1, 2))).argmin(), 0])
    spoilt[inner] += 0.2
    figures = measure_skin_uv(model.mean, skin, model.mirror, replace(layout, uv=spoilt))
    assert figures.flipped > 0
    assert figures.overlapping_texels > 0
    assert figures.mirror_error == pytest.approx(0.2 * np.sqrt(2), rel=1e-3)


def test_regions_are_where_an_artist_would_put_them(model: HeadModel) -> None:
    head = proportions(model.mean, model.mirror)
    landmarks = model.landmarks(model.mean)
    names = [REGIONS[i] for i in region_of(landmarks[[4, 61, 50, 9]].astype(np.float64), head)]
    assert names == ["face"] * 4
    points = np.array([[0, 0.11, -0.08], [0, -0.19, -0.05], [head.ear_base + 0.006, *head.ear]])
    assert [REGIONS[i] for i in region_of(points, head)] == ["scalp", "neck", "ears"]


def test_density_is_one_on_the_face_and_falls_off_smoothly(model: HeadModel) -> None:
    head, style = proportions(model.mean, model.mirror), LayoutStyle()
    path = np.stack([np.zeros(200), np.linspace(0.0, 0.12, 200), np.full(200, 0.01)], axis=1)
    along, across = densities(path, head, style)
    assert along[0] == across[0] == 1
    assert along[-1] < 0.3
    assert (np.diff(along) <= 0).all()
    assert np.abs(np.diff(np.log(along))).max() < 0.06
    assert (across >= along).all()


def test_directions_lead_from_the_nose_outwards() -> None:
    grid = np.linspace(-0.1, 0.1, 21)
    x, y = np.meshgrid(grid, grid)
    vertices = np.stack([x, y, np.full_like(x, 0.01)], -1).reshape(-1, 3)
    index = np.arange(441).reshape(21, 21)
    quads = np.stack([index[:-1, :-1], index[:-1, 1:], index[1:, 1:], index[1:, :-1]], -1).reshape(-1, 4)
    triangles = quads[:, [[0, 1, 2], [0, 2, 3]]].reshape(-1, 3)
    edge = np.unique(np.concatenate([index[0], index[-1], index[:, 0], index[:, -1]]))
    direction = away_from_face(vertices, triangles, edge)
    centre = vertices[triangles].mean(axis=1)
    right = (centre[:, 0] > 0.05) & (np.abs(centre[:, 1] + 0.035) < 0.03)
    assert (direction[right, 0] > 0.8).all()
    np.testing.assert_allclose(direction[:, 2], 0, atol=1e-9)


def test_report_writes_figures_and_pictures(
    model: HeadModel, skin: np.ndarray, layout: SkinUV, figures: SkinUVFigures, tmp_path: Path
) -> None:
    write_skin_uv_report(model.mean, skin, model.mirror, layout, tmp_path)
    written = json.loads((tmp_path / "skin_uv.json").read_text())
    assert written["face_share"] == figures.face_share
    for name, shape in (("skin_uv_layout.png", (1024, 2048, 3)), ("skin_uv_views.png", (1280, 1280, 3))):
        picture = cv2.imread(str(tmp_path / name))
        assert picture is not None
        assert picture.shape == shape
        assert picture.std() > 20
