"""What every completion of the skin implements: from what was seen to all maps, at the working size."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Protocol

from backend.delight.delighting import DelightedTexture
from backend.imaging.arrays import Array
from backend.progress import Progress
from backend.texture.uv_space import filled, nearest_inside
from shared.errors import RelightifyError
from shared.options import Reflectance

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True)
class CompletedMaps:
    """All maps of a skin at the working size B x B, complete; detail is yet to come.

    Args:
        log_texture: float32 [B, B, 3], natural logarithm of the linear, still shaded colour.
        log_albedo: float32 [B, B, 3], natural logarithm of the linear diffuse albedo.
        log_relief: float32 [B, B, 3], the log albedo of which relief is read: with what was taken out of `log_albedo`
            as light that was left in it, since the shade in creases tells where they are.
        specular_albedo: float32 [B, B], linear, F0 / 0.08, without the loss in cavities, which is read from the relief.
        normal: float32 [B, B, 3], unit normals in tangent space, +Y up, that the prior inferred; None where they are to
            be read from `log_relief`.
    """

    log_texture: Array
    log_albedo: Array
    log_relief: Array
    specular_albedo: Array
    normal: Array | None = None

    @property
    def side(self) -> int:
        return self.log_texture.shape[0]

    def dilated(self, island: Array) -> CompletedMaps:
        """Maps continued over everything outside the island, bool [B, B], so that enlarging finds no border."""
        names = ("log_texture", "log_albedo", "log_relief", "specular_albedo")
        margin = nearest_inside(island, self.side)
        normal = None if self.normal is None else filled(self.normal, *margin)
        return replace(self, normal=normal, **{name: filled(getattr(self, name), *margin) for name in names})


class GuidanceTerm(Protocol):
    """Something else than the seen texels that a sampled completion should agree with."""

    def gradient(self, z_0: Tensor, t: int) -> Tensor:
        """Gradient of the term's loss with respect to the clean estimate.

        Args:
            z_0: float [B, C, h, w], the estimate of eq. 9c, whitened latents.
            t: the step, 1 ... T.

        Returns:
            float [B, C, h, w]; a sampler steps against it.
        """
        ...


class Prior(Protocol):
    """Completes a delit texture to all maps of the skin."""

    @property
    def draws(self) -> bool:
        """Whether completions are drawn at random, so that several seeds give several."""
        ...

    @property
    def infers(self) -> bool:
        """Whether it can infer reflectance by itself."""
        ...

    def complete(
        self,
        delit: DelightedTexture,
        seeds: Sequence[int],
        progress: Progress,
        guidance: Sequence[GuidanceTerm] = (),
        reflectance: Reflectance = "photo",
    ) -> Iterator[CompletedMaps]:
        """A completion for each seed, in order; same seed, device and versions give the same maps.

        They may be drawn together, but come one after the other. Progress covers all of them and is told all before
        the first one comes.

        Args:
            delit: what was seen, with and without its light.
            seeds: of everything random, one a completion; `LIKELIEST_SEED` is the best guess, others are draws.
            progress: told about progress in [0, 1]; raises when the user cancels.
            guidance: terms for samplers; priors that do not sample have no use for them.
            reflectance: where A_d, A_s and N come from: `photo`, what was seen with its light divided out, joined to
                what the prior expects; `prior`, what it makes of it everywhere (a network by eq. 9f). Seen texture is
                the photo's either way.

        Raises:
            JobCancelled: the user asked to stop.
        """
        ...


def require_able(prior: Prior, quality: str, samples: int, reflectance: Reflectance) -> None:
    """Check that a prior can make what a job asks for.

    Raises:
        RelightifyError: ``bad_option``: several are asked of a prior that has only one completion, or reflectance of
            one that knows nothing of it.
    """
    if reflectance == "prior" and not prior.infers:
        raise RelightifyError(
            "bad_option",
            f"The quality {quality} has no learned prior that could infer the reflectance.",
            "Take the reflectance from the photo, or use the quality draft, standard or high.",
        )
    if samples > 1 and not prior.draws:
        raise RelightifyError(
            "bad_option",
            f"The quality {quality} makes one completion of a photo, not {samples}.",
            "Ask for one sample, or use the quality draft, standard or high, which draw at random.",
        )
