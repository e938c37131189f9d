"""Several completions of one photo, for an artist to choose from."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol, runtime_checkable

from backend.prior.interface import Prior, PriorContext
from backend.progress import Progress
from backend.texture.maps import PartialTexture, SkinMaps
from shared.errors import RelightifyError
from shared.options import JobOptions


@runtime_checkable
class SamplingPrior(Prior, Protocol):
    """A prior that draws its completion from many that are possible."""

    def samples(
        self, partial: PartialTexture, context: PriorContext, seeds: tuple[int, ...], progress: Progress
    ) -> Iterator[SkinMaps]:
        """A completion for each seed, in order; each is what `complete` returns for that seed.

        They may be drawn together, but come one after the other, so that maps of one sample only are in memory.
        Arguments and errors as in `Prior.complete`; progress covers all of them.
        """
        ...


def require_samples(prior: Prior, options: JobOptions) -> None:
    """Check that a prior can make as many samples as a job asks for.

    Raises:
        RelightifyError: ``bad_option``, several are asked of a prior that has only one completion.
    """
    if options.samples > 1 and not isinstance(prior, SamplingPrior):
        raise RelightifyError(
            "bad_option",
            f"The quality {options.quality} makes one completion of a photo, not {options.samples}.",
            "Ask for one sample, or use the quality standard or high, which draw at random.",
        )


def completions(
    prior: Prior, partial: PartialTexture, context: PriorContext, options: JobOptions, progress: Progress
) -> Iterator[SkinMaps]:
    """The job's samples, at least one; sample k = 1, 2, ... has the seed `options.seed` + k - 1.

    Raises:
        RelightifyError: see `require_samples` and `Prior.complete`.
        JobCancelled: the user asked to stop.
    """
    require_samples(prior, options)
    if options.samples > 1 and isinstance(prior, SamplingPrior):
        seeds = tuple(range(options.seed, options.seed + options.samples))
        yield from prior.samples(partial, context, seeds, progress)
    else:
        yield prior.complete(partial, context, options.seed, progress)
