import numpy as np
import pytest

from backend.head.model import load_head_model
from backend.photo import landmark_table as table

OUTLINES = [
    *("FACE_OVAL", "LIPS_OUTER", "LIPS_INNER", "EYE_RIGHT", "EYE_LEFT", "BROW_RIGHT", "BROW_LEFT"),
    *("UNDER_EYE_RIGHT", "UNDER_EYE_LEFT", "MOUSTACHE"),
]


@pytest.fixture(scope="module")
def front_view() -> np.ndarray:
    """The mean head's landmarks as a camera far in front of it sees them, [478, 2]."""
    model = load_head_model()
    return model.landmarks(model.mean).astype(np.float64)[:, :2]


@pytest.mark.parametrize("name", OUTLINES)
def test_an_outline_does_not_cross_itself(name: str, front_view: np.ndarray) -> None:
    ring = front_view[list(getattr(table, name))]
    count = len(ring)
    crossings = [
        (i, j)
        for i in range(count)
        for j in range(i + 2, count)
        if (i, j) != (0, count - 1) and crosses(ring[i], ring[(i + 1) % count], ring[j], ring[(j + 1) % count])
    ]
    assert crossings == []


@pytest.mark.parametrize("name", ["FACE_OVAL", "LIPS_OUTER", "LIPS_INNER"])
def test_an_outline_on_the_middle_is_its_own_mirror_image(name: str) -> None:
    outline = getattr(table, name)
    assert {int(table.MIRROR[i]) for i in outline} == set(outline)


@pytest.mark.parametrize("part", ["EYE", "BROW", "CHEEK", "LID", "UNDER_EYE"])
def test_left_is_the_mirror_image_of_right_landmark_by_landmark(part: str) -> None:
    right, left = getattr(table, f"{part}_RIGHT"), getattr(table, f"{part}_LEFT")
    assert tuple(table.MIRROR[list(right)]) == left


def test_mirroring_twice_changes_nothing() -> None:
    np.testing.assert_array_equal(table.MIRROR[table.MIRROR], np.arange(table.LANDMARK_COUNT))


def crosses(a: np.ndarray, b: np.ndarray, c: np.ndarray, d: np.ndarray) -> bool:
    """Whether the line from a to b and the line from c to d cross."""

    def side(p: np.ndarray, q: np.ndarray, r: np.ndarray) -> float:
        return float((q[0] - p[0]) * (r[1] - p[1]) - (q[1] - p[1]) * (r[0] - p[0]))

    return side(a, b, c) * side(a, b, d) < 0 and side(c, d, a) * side(c, d, b) < 0
