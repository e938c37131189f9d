"""What counts as known in the latents."""

from __future__ import annotations

import pytest
import torch

from backend.prior.channels import LATENT
from backend.prior.diffusion.observation import (
    Observation,
    latent_mask,
)


def test_the_maps_share_the_channels_without_gap_or_overlap() -> None:
    taken = [index for part in LATENT for index in range(12)[part]]
    assert taken == list(range(12))


def test_only_the_texture_can_be_known() -> None:
    seen = Observation(torch.randn(2, 12, 4, 4), torch.ones(2, 1, 4, 4))
    assert bool((seen.known[:, LATENT.texture] == 1).all())
    assert not seen.known[:, 3:].any()
    assert not seen.empty
    assert Observation.nothing(2).empty


def test_a_mask_may_differ_between_the_channels_of_the_texture() -> None:
    mask = torch.zeros(1, 3, 2, 2)
    mask[0, 1] = 1
    known = Observation(torch.zeros(1, 6, 2, 2), mask).known
    assert known.sum(dim=(0, 2, 3)).tolist() == [0, 4, 0, 0, 0, 0]


def test_half_known_latents_are_held_down_to_their_noise_level() -> None:
    mask = torch.tensor([0.0, 0.25, 0.5, 1.0]).reshape(1, 1, 2, 2)
    seen = Observation(torch.zeros(1, 3, 2, 2), mask)
    held = [seen.held(t, 1000)[0, 0].flatten().tolist() for t in (1000, 750, 700, 500, 499, 0)]
    assert held == [
        [False, True, True, True],
        [False, True, True, True],
        [False, False, True, True],
        [False, False, True, True],
        [False, False, False, True],
        [False, False, False, True],
    ]


@pytest.mark.parametrize(
    ("latent", "mask"),
    [
        (torch.zeros(1, 12, 4, 4), torch.zeros(1, 1, 8, 8)),
        (torch.zeros(1, 12, 4, 4), torch.zeros(1, 12, 4, 4)),
        (torch.zeros(2, 12, 4, 4), torch.zeros(1, 1, 4, 4)),
        (torch.zeros(1, 12, 4, 4), torch.full((1, 1, 4, 4), 1.5)),
        (torch.zeros(12, 4, 4), torch.zeros(1, 4, 4)),
    ],
    ids=["size", "channels", "batch", "range", "rank"],
)
def test_observations_that_do_not_fit_are_refused(latent: torch.Tensor, mask: torch.Tensor) -> None:
    with pytest.raises(ValueError, match="mask"):
        Observation(latent, mask)


def test_cells_with_a_hole_and_their_neighbours_are_not_known() -> None:
    visibility = torch.ones(1, 1, 64, 64)
    visibility[0, 0, 27, 35] = 0  # one texel, in cell (3, 4) of 8 x 8
    mask = latent_mask(visibility, size=8)
    expected = torch.zeros(8, 8)
    expected[1:-1, 1:-1] = 1  # what lies beyond the map is not seen
    expected[2:5, 3:6] = 0
    torch.testing.assert_close(mask[0, 0], expected)


def test_a_visibility_that_does_not_divide_into_cells_is_refused() -> None:
    with pytest.raises(ValueError, match="visibility"):
        latent_mask(torch.ones(1, 1, 60, 60), size=8)
