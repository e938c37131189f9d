"""Which share of marks the albedo has."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest

from backend.evaluation.photos.kept_marks import kept_of_found, kept_of_painted, marked_share
from backend.imaging.colour import linear_to_srgb
from backend.texture.maps import PartialTexture

SIDE = 64
CONTRAST = 0.8
SPOT = np.zeros((SIDE, SIDE), bool)
SPOT[20:36, 24:40] = True


def skin_of(level: float, spot: float) -> np.ndarray:
    """sRGB float32 [SIDE, SIDE, 3] of a linear grey, darker within the spot by a log contrast."""
    linear = np.where(SPOT, level * np.exp(-spot), level)
    return np.repeat(linear_to_srgb(linear)[..., None], 3, -1).astype(np.float32)


def seen_skin(spot: float) -> PartialTexture:
    return PartialTexture(skin_of(0.5, spot), np.ones((SIDE, SIDE), np.float32))


def maps_of(spot: float) -> Any:
    return SimpleNamespace(diffuse_albedo_srgb=skin_of(0.3, spot), resolution=SIDE)


def delit_with(spot: float, found: float) -> Any:
    ones = np.ones((SIDE, SIDE), np.float32)
    marks = np.where(SPOT, -found, 0)[..., None].repeat(3, -1)
    skin = SimpleNamespace(
        working=SimpleNamespace(resolution=SIDE), regions=SimpleNamespace(face=ones, texels_per_mm=1.0)
    )
    return SimpleNamespace(partial=seen_skin(spot), skin=skin, log_marks=marks, weight=ones)


@pytest.mark.parametrize("kept", [0.0, 0.25, 1.0])
def test_the_share_of_a_found_mark_is_that_of_its_contrast(kept: float) -> None:
    delit = cast(Any, delit_with(CONTRAST, CONTRAST))
    assert kept_of_found(delit, maps_of(kept * CONTRAST)) == pytest.approx(kept, abs=0.02)


@pytest.mark.parametrize("kept", [0.0, 0.5, 1.0])
def test_the_share_of_painting_is_told_by_the_untouched_photo(kept: float) -> None:
    painted, plain = cast(Any, delit_with(CONTRAST, 0.0)), cast(Any, delit_with(0.0, 0.0))
    share = kept_of_painted(painted, maps_of(kept * CONTRAST), plain, maps_of(0.0))
    assert share == pytest.approx(kept, abs=0.02)


def test_where_nothing_is_marked_there_is_nothing_to_keep() -> None:
    plain = cast(Any, delit_with(0.0, 0.0))
    assert np.isnan(kept_of_found(plain, maps_of(0.0)))
    assert np.isnan(kept_of_painted(plain, maps_of(0.0), plain, maps_of(0.0)))


def test_the_marked_share_is_of_the_seen_face() -> None:
    assert marked_share(cast(Any, delit_with(CONTRAST, CONTRAST))) == pytest.approx(SPOT.mean())
