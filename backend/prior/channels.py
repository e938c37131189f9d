"""Where each map lies among the channels of what the priors work on, three stacks that are not the same."""

from __future__ import annotations

from typing import NamedTuple


class Channels(NamedTuple):
    """The channels of T, A_d, A_s and N in a stack of all four, in this order."""

    texture: slice
    diffuse: slice
    specular: slice
    normal: slice

    @property
    def total(self) -> int:
        """All channels of the stack."""
        return self.normal.stop


# x = [T, A_d, A_s, N] as images: what training makes and the auto-encoders see.
QUADRUPLE = Channels(slice(0, 3), slice(3, 6), slice(6, 7), slice(7, 10))
# z = [z_T, z_Ad, z_As, z_N], eq. 7: what the diffusion works on.
LATENT = Channels(slice(0, 3), slice(3, 6), slice(6, 9), slice(9, 12))
# The linear prior's maps: of the normal, x and y.
LINEAR = Channels(slice(0, 3), slice(3, 6), slice(6, 7), slice(7, 9))
