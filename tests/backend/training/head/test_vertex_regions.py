"""The regions that ship with the add-on are those of the head model that ships."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from backend.head.model import load_head_model
from backend.training.head.vertex_regions import REGIONS, vertex_regions

SHIPPED = Path(__file__).resolve().parents[4] / "blender_addon" / "anatomy" / "vertex_regions.npz"


@pytest.mark.slow
def test_the_shipped_regions_are_those_of_the_shipped_head() -> None:
    made = vertex_regions(load_head_model())
    with np.load(SHIPPED, allow_pickle=False) as shipped:
        np.testing.assert_array_equal(shipped["hm08_vertex_ids"], made["hm08_vertex_ids"])
        for name in REGIONS:
            difference = np.abs(shipped[name].astype(int) - made[name])
            assert difference.max() <= 2, name
