"""The head goes through the points that a hand has put where they belong, and else stays."""

from __future__ import annotations

import numpy as np
import pytest

from backend.head.correction.corrections import Corrector
from backend.head.correction.handles import HANDLES
from backend.head.head_fit import HeadFit, ViewFit
from backend.head.model import HeadModel, load_head_model
from shared.corrections import Correction, Corrections
from shared.errors import RelightifyError
from tests.backend.head.landmarks.test_landmark_fit import camera_at, person


@pytest.fixture(scope="module")
def model() -> HeadModel:
    return load_head_model()


@pytest.fixture(scope="module")
def corrector(model: HeadModel) -> Corrector:
    return Corrector.of(model)


def fit_of(model: HeadModel, yaw: float = 5.0) -> HeadFit:
    identity, expression = person(model, 4)
    view = ViewFit(
        expression=expression.astype(np.float32),
        camera=camera_at(yaw, 3, 0.7, 1500),
        light=np.zeros((9, 3), np.float32),
        skin_albedo=np.full(3, 0.4, np.float32),
        iod_px=200.0,
        landmark_error=0.01,
        landmark_errors=np.zeros(478, np.float32),
        photometric_before=0.05,
        photometric_after=0.04,
        focal_known=False,
    )
    return HeadFit((0.5 * identity).astype(np.float32), (view,))


def pixels(model: HeadModel, fit: HeadFit, corrector: Corrector, start: HeadFit) -> np.ndarray:
    return fit.camera.project(corrector.begin(start).handles.on(fit.vertices(model)))


@pytest.mark.parametrize("yaw", [0, 30])
@pytest.mark.parametrize("dragged", ["chin", "jaw left", "nose tip", "ear lobe left", "mouth corner left", "hairline"])
def test_dragged_handle_goes_where_it_is_dragged_and_pinned_ones_stay(
    model: HeadModel, corrector: Corrector, yaw: float, dragged: str
) -> None:
    fit = fit_of(model, yaw)
    before = pixels(model, fit, corrector, fit)
    wanted = {name: before[HANDLES.index(name)] for name in ("eye outer corner left", "nose wing left", "upper lip")}
    wanted[dragged] = before[HANDLES.index(dragged)] + [6.0, 8.0]
    points = tuple(Correction((float(x), float(y)), handle=name) for name, (x, y) in wanted.items())
    after = pixels(model, corrector.begin(fit).corrected(Corrections(points)), corrector, fit)
    for name, pixel in wanted.items():
        np.testing.assert_allclose(after[HANDLES.index(name)], pixel, atol=0.05)


def test_what_is_far_from_a_drag_moves_much_less(model: HeadModel, corrector: Corrector) -> None:
    fit = fit_of(model)
    before = pixels(model, fit, corrector, fit)
    x, y = before[HANDLES.index("chin")]
    done = corrector.begin(fit).corrected(Corrections((Correction((x, y + 10), handle="chin"),)))
    moved = np.linalg.norm(pixels(model, done, corrector, fit) - before, axis=1)
    upper = [n for n, name in enumerate(HANDLES) if name.startswith(("eye", "brow", "upper lid", "lower lid"))]
    assert moved[upper].max() < 3.0
    assert moved[HANDLES.index("chin side left")] > 5.0


def test_no_correction_changes_nothing(model: HeadModel, corrector: Corrector) -> None:
    fit = fit_of(model)
    assert corrector.begin(fit).corrected(Corrections()) is fit


def test_correction_that_says_what_is_so_moves_nothing(model: HeadModel, corrector: Corrector) -> None:
    fit = fit_of(model)
    x, y = pixels(model, fit, corrector, fit)[HANDLES.index("nose tip")]
    done = corrector.begin(fit).corrected(Corrections((Correction((x, y), handle="nose tip"),)))
    np.testing.assert_allclose(done.vertices(model), fit.vertices(model), atol=1e-5)


def test_point_anywhere_on_the_mesh_and_a_landmark_can_be_pinned(model: HeadModel, corrector: Corrector) -> None:
    fit = fit_of(model)
    triangle = model.triangles("skin")[700]
    weights = np.array([0.2, 0.3, 0.5])
    x, y = fit.camera.project(weights @ fit.vertices(model)[triangle]) + np.array([0, 5])
    u, v = fit.camera.project(model.landmarks(fit.vertices(model))[4]) + np.array([5, 0])
    pin = Correction((x, y), vertices=tuple(triangle.tolist()), weights=(0.2, 0.3, 0.5))
    done = corrector.begin(fit).corrected(Corrections((pin, Correction((u, v), landmark=4))))
    after = done.vertices(model)
    np.testing.assert_allclose(done.camera.project(weights @ after[triangle]), [x, y], atol=0.05)
    np.testing.assert_allclose(done.camera.project(model.landmarks(after)[4]), [u, v], atol=0.05)


def test_eyeballs_stay_round_where_skin_beside_them_is_dragged(model: HeadModel, corrector: Corrector) -> None:
    fit = fit_of(model)
    x, y = pixels(model, fit, corrector, fit)[HANDLES.index("eye outer corner left")]
    done = corrector.begin(fit).corrected(Corrections((Correction((x + 15, y), handle="eye outer corner left"),)))
    assert done.offsets is not None
    eye = np.unique(model.triangles("eye_left"))
    assert np.abs(done.offsets).max() > 1e-5
    np.testing.assert_allclose(done.offsets[eye] - done.offsets[eye[0]], 0, atol=1e-7)


def test_expression_stays_within_its_range(model: HeadModel, corrector: Corrector) -> None:
    fit = fit_of(model)
    x, y = pixels(model, fit, corrector, fit)[HANDLES.index("lower lip")]
    for off in (-60, 60):
        done = corrector.begin(fit).corrected(Corrections((Correction((x, y + off), handle="lower lip"),)))
        assert done.expression.min() >= 0
        assert done.expression.max() <= 1
        assert np.isfinite(done.vertices(model)).all()


@pytest.mark.parametrize(
    "point",
    [
        Correction((1.0, 2.0), handle="third eye"),
        Correction((1.0, 2.0), vertices=(0, 1, 99999), weights=(1.0, 0.0, 0.0)),
    ],
)
def test_point_that_the_head_does_not_have_is_an_error(
    model: HeadModel, corrector: Corrector, point: Correction
) -> None:
    with pytest.raises(RelightifyError) as error:
        corrector.begin(fit_of(model)).corrected(Corrections((point,)))
    assert error.value.code == "bad_corrections"
    assert error.value.hint


def test_far_ear_of_a_turned_head_is_not_offered(model: HeadModel, corrector: Corrector) -> None:
    begun = corrector.begin(fit_of(model, 40.0))  # the subject's left comes forward
    seen = dict(zip(HANDLES, begun.seen, strict=True))
    assert not seen["ear lobe right"] or not seen["ear lobe left"]
    assert seen["ear lobe right"] or seen["ear lobe left"]
    assert all(seen[name] for name in ("chin", "nose tip", "mouth corner left", "mouth corner right"))
    assert sum(corrector.begin(fit_of(model, 0.0)).seen) >= 40
