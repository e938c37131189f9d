"""The right values of photos and files that once went wrong, by the whole method; one job a photo serves its tests.

Files are read in `photo/files`, coverings found in `photo/skin`: here is what comes out at the end.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest

from backend.delight.delighting import DelightedTexture, delight
from backend.detail.options import DetailOptions
from backend.evaluation.photos.kept_marks import kept_of_painted
from backend.head.exchange import head_mesh
from backend.imaging.colour import LUMINANCE, srgb_to_linear
from backend.photo.view import View
from backend.photo.white_cue import white_cue
from backend.pipeline import Pipeline, finished_maps
from backend.progress import Progress, Stopwatch
from backend.texture.maps import SkinMaps
from backend.texture.regions import plain_skin
from shared.errors import RelightifyError

CASES = Path(__file__).resolve().parents[3] / "shared" / "cases"
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not CASES.is_dir(), reason="the photos that went wrong are not on this machine"),
]
SIDE = 512
BASE = "min_base.png"
LEAST_KEPT = 0.8  # of the log contrast of marks on skin that is seen well


@dataclass(frozen=True)
class Made:
    """What became of a case.

    Args:
        view: the photo and the face in it.
        delit: what was seen, its light taken off.
        maps: finished.
        warnings: sentences.
    """

    view: View
    delit: DelightedTexture
    maps: SkinMaps
    warnings: tuple[str, ...]

    def tone(self) -> np.ndarray:
        """Median linear albedo [3] of plain skin."""
        plain = plain_skin(self.delit.skin.regions) > 0.5
        return np.median(srgb_to_linear(self.maps.diffuse_albedo_srgb[plain]), axis=0)


@dataclass
class Cases:
    """Cases taken through the method, each once."""

    pipeline: Pipeline
    made: dict[str, Made] = field(default_factory=dict)

    def __call__(self, name: str) -> Made:
        if name not in self.made:
            watch = Stopwatch(Progress())
            skin, (shown,), _ = self.pipeline.prepare((CASES / name).read_bytes(), SIDE, (None,), watch)
            view = shown.view
            delit = delight(shown.partial, skin, white_cue(view.photo, view.face.landmarks_px))
            maps = next(finished_maps(self.pipeline.prior("draft"), delit, [0], DetailOptions(), watch))
            self.made[name] = Made(view, delit, maps, self.pipeline.warnings_of([shown], delit))
        return self.made[name]


@pytest.fixture(scope="module")
def cases() -> Cases:
    return Cases(Pipeline("cpu"))


def test_an_ordinary_photo_is_warned_of_nothing(cases: Cases) -> None:
    assert cases(BASE).warnings == ()


@pytest.mark.parametrize("name", ["min_face_tattoo", "min_port_wine_stain", "min_vitiligo_moderate"])
def test_four_fifths_of_a_marks_contrast_are_in_the_albedo(cases: Cases, name: str) -> None:
    painted, base = cases(f"{name}.png"), cases(BASE)
    assert kept_of_painted(painted.delit, painted.maps, base.delit, base.maps) > LEAST_KEPT
    assert painted.warnings == ()


def test_what_covers_is_completed_as_skin_and_named(cases: Cases) -> None:
    base = cases(BASE).tone()
    for name, told in (("min_mask_blue.png", "mask or cloth"), ("min_fingers.png", "hand")):
        covered = cases(name)
        assert any(told in warning and "guessed" in warning for warning in covered.warnings), name
        # Under the blue mask as elsewhere.
        cheeks = covered.delit.skin.regions.face * (1 - covered.delit.weight) * plain_skin(covered.delit.skin.regions)
        hidden = srgb_to_linear(covered.maps.diffuse_albedo_srgb[cheeks > 0.5])
        assert np.abs(np.log(np.median(hidden, axis=0) / base)).max() < 0.3, name


def test_paint_all_over_is_kept_and_said(cases: Cases) -> None:
    green = cases("green_skin.png")
    assert any("painted" in warning for warning in green.warnings)
    skin = green.delit.skin.uv_space.mask & (green.delit.skin.regions.lips < 0.1)
    albedo = srgb_to_linear(green.maps.diffuse_albedo_srgb[skin])
    # Lids, nostrils and what was not seen are green as well.
    assert np.quantile(albedo[:, 1] / albedo[:, 0], 0.02) > 1.2


def test_two_coloured_light_leaves_skin_of_skins_hue(cases: Cases) -> None:
    lit, base = cases("min_two_colour_light.png"), cases(BASE).tone()
    assert any("both sides" in warning for warning in lit.warnings)
    tone = lit.tone()
    # Where no hue is told it is the usual one, which is a little less yellow than this person's.
    assert np.abs(np.log(tone / (tone @ LUMINANCE)) - np.log(base / (base @ LUMINANCE))).max() < 0.35
    left, right = (
        np.median(srgb_to_linear(lit.maps.diffuse_albedo_srgb[:, half])[_plain(lit)[:, half]], axis=0)
        for half in (slice(0, SIDE // 2), slice(SIDE // 2, SIDE))
    )
    assert np.abs(np.log(left / right)).max() < 0.25


def _plain(made: Made) -> np.ndarray:
    return plain_skin(made.delit.skin.regions) > 0.5


def test_a_side_without_light_is_completed_like_the_other(cases: Cases) -> None:
    dark = cases("half_black.png")
    assert any("no light" in warning for warning in dark.warnings)
    luminance = srgb_to_linear(dark.maps.diffuse_albedo_srgb) @ LUMINANCE
    halves = [luminance[:, half][_plain(dark)[:, half]] for half in (slice(0, SIDE // 2), slice(SIDE // 2, SIDE))]
    assert abs(np.log(np.median(halves[0]) / np.median(halves[1]))) < 0.15
    # No black smear is left over brow and cheek: next to nothing is less than half as bright as without the darkness.
    base = srgb_to_linear(cases(BASE).maps.diffuse_albedo_srgb) @ LUMINANCE
    assert np.quantile((luminance / base)[_plain(dark)], 0.02) > 0.5


def test_red_eye_becomes_an_iris_that_people_have(cases: Cases) -> None:
    made = cases("min_red_eye.png")
    mesh = head_mesh(cases.pipeline.model, made.delit.skin.fit, made.view)
    for iris in srgb_to_linear(np.asarray(mesh.iris_colour_srgb)):
        assert iris[0] < 3 * iris[1]
        assert iris[0] < 0.3


def test_a_focal_length_of_the_uncropped_photo_is_not_believed(cases: Cases) -> None:
    fit = cases("crop_kept_16mm.jpg").delit.skin.fit
    assert not fit.view.focal_known
    # 16 mm would put the face at 0.39 m.
    assert fit.camera.position[2] > 0.65


@pytest.mark.parametrize("name", ["gimp_linear_srgb_icc.png", "heic_pq_2020.heic", "jpeg_no_eoi.jpg"])
def test_a_file_of_another_kind_gives_the_same_skin(cases: Cases, name: str) -> None:
    np.testing.assert_allclose(cases(name).tone(), cases("crop_kept_16mm.jpg").tone(), rtol=0.06)


def test_camera_raw_is_named_as_such(cases: Cases) -> None:
    with pytest.raises(RelightifyError) as caught:
        cases.pipeline.prepare((CASES / "raw_like.dng").read_bytes(), SIDE, (None,), Stopwatch(Progress()))
    assert caught.value.code == "photo_is_raw"
    assert "JPEG or TIFF" in str(caught.value)
