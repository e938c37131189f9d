import numpy as np

from backend.head.model import load_head_model
from backend.rendering.skin_model import SKIN
from backend.texture.regions import FaceRegions, face_regions, landmark_texels
from backend.texture.relief import cavities, regional_specular, relief_height
from backend.texture.skin_regions import skin_regions
from backend.texture.uv_space import mirror, uv_space
from backend.training.stream.reflectance import regional_specular as of_training
from backend.training.stream.region_masks import region_masks


def test_dark_detail_lies_deep_and_brows_and_even_skin_are_flat() -> None:
    regions, texels = real_regions()
    spot, height_at = np.zeros((256, 256, 3), np.float32), {}
    for landmark in (205, 105):  # cheek, brow
        column, row = np.round(texels[landmark]).astype(int)
        spot[row, column] = -0.3
    height = relief_height(spot, regions, np.ones((256, 256), bool))
    for landmark in (205, 105):
        column, row = np.round(texels[landmark]).astype(int)
        height_at[landmark] = height[row, column]
    assert height_at[205] < -0.02
    assert abs(height_at[105]) < 0.3 * abs(height_at[205])
    assert abs(height[5, 5]) < 1e-4


def real_regions(resolution: int = 256) -> tuple[FaceRegions, np.ndarray]:
    model = load_head_model()
    return face_regions(model, uv_space(model, resolution)), landmark_texels(model, resolution)


def test_regions_lie_where_the_landmarks_are_and_are_the_same_on_both_sides() -> None:
    regions, texels = real_regions()
    column, row = np.round(texels).astype(int).T
    for mask, landmark in ((regions.lips, 17), (regions.nose, 4), (regions.brows, 105), (regions.forehead, 151)):
        assert mask[row[landmark], column[landmark]] > 0.5
    assert regions.lips[row[4], column[4]] < 0.05
    assert regions.beard[row[152], column[152]] > 0.9  # the chin
    assert regions.beard[row[151], column[151]] == 0
    for mask in (regions.lips, regions.brows, regions.eyes, regions.beard):
        assert np.abs(mask - mirror(mask)).mean() < 0.01


def test_training_and_run_time_have_the_same_specular_albedo() -> None:
    model = load_head_model()
    own = regional_specular(skin_regions(model, uv_space(model, 256)))
    island = uv_space(model, 256).mask
    np.testing.assert_allclose(own[island], of_training(region_masks(model, 256)).numpy()[island], atol=5e-3)


def test_specular_albedo_is_that_of_the_regions() -> None:
    model = load_head_model()
    regions = skin_regions(model, uv_space(model, 256))
    values, levels = regional_specular(regions), dict(SKIN.specular.regions)
    for name in ("forehead", "neck", "scalp"):
        assert abs(np.median(values[getattr(regions, name) > 0.98]) - levels[name]) < 0.02
    assert values[regions.lips > 0.98].min() > values[regions.cheeks > 0.98].max()


def test_a_pit_is_a_cavity() -> None:
    height = np.zeros((64, 64), np.float32)
    height[32, 32] = -0.05
    deep = cavities(height, np.ones((64, 64), bool), texels_per_mm=4.0)[0:64]
    assert deep[32, 32] > 0.045
    assert abs(deep[5, 5]) < 1e-6
