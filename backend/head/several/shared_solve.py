"""Several photos of one person solved together: one identity, and a camera and an expression a photo.

The Gauss-Newton system has an arrow's shape: photos meet only in p_s, so each photo's own unknowns are eliminated first
(Schur complement; Triggs et al., "Bundle adjustment: a modern synthesis", 2000, section 6.1), and what is left to solve
has the size of one identity, however many photos there are.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from backend.head.landmarks.landmark_solve import POSE, FitParameters, Terms, free_unknowns
from backend.head.levenberg_marquardt import Minimum, OnStep, descend, no_step

Linearise = Callable[[FitParameters], Terms]


def minimise_together(
    linearise: Sequence[Linearise],
    parameters: Sequence[FitParameters],
    iterations: int,
    fixed_focal: Sequence[bool],
    on_step: OnStep = no_step,
    damping: float = 1e-3,
) -> Minimum[list[FitParameters]]:
    """Levenberg-Marquardt on the sum of the photos' costs, their identity being the same.

    Args:
        linearise: each photo's cost and its Gauss-Newton model; the prior on p_s is to be in their sum once.
        parameters: where to start, one a photo, all of one identity.
        iterations, on_step, damping: see `descend`.
        fixed_focal: by photo, whether its focal length is known.

    Returns:
        The photos' parameters, all of one identity.
    """

    def of_all(current: list[FitParameters]) -> list[Terms]:
        return [one(at) for one, at in zip(linearise, current, strict=True)]

    def stepped(terms: list[Terms], current: list[FitParameters], damping: float) -> list[FitParameters]:
        steps = shared_step(terms, current, damping, fixed_focal)
        return [at.stepped(step) for at, step in zip(current, steps, strict=True)]

    def cost(terms: list[Terms]) -> float:
        return sum(one.cost for one in terms)

    return descend(of_all, cost, stepped, list(parameters), iterations, on_step, damping)


def shared_step(
    terms: Sequence[Terms], parameters: Sequence[FitParameters], damping: float, fixed_focal: Sequence[bool]
) -> list[np.ndarray]:
    """A Levenberg-Marquardt step [7 + K + 52] a photo, the same in p_s for all of them.

    Args:
        terms: of each photo, at `parameters`.
        parameters: of each photo.
        damping: of the diagonal.
        fixed_focal: by photo, whether its focal length is known.
    """
    modes = len(parameters[0].identity)
    shared = slice(POSE, POSE + modes)
    system = np.zeros((modes, modes))
    wanted = np.zeros(modes)
    for one in terms:
        system += one.hessian[shared, shared]
        wanted -= one.gradient[shared]
    system[np.diag_indices_from(system)] *= 1 + damping
    eliminated = []
    for one, at, fixed in zip(terms, parameters, fixed_focal, strict=True):
        own = free_unknowns(one, at, fixed)
        own[shared] = False
        block = one.hessian[np.ix_(own, own)]
        block[np.diag_indices_from(block)] *= 1 + damping
        coupling = one.hessian[own, shared]
        solved = np.linalg.solve(block, np.column_stack([coupling, one.gradient[own]]))
        system -= coupling.T @ solved[:, :-1]
        wanted += coupling.T @ solved[:, -1]
        eliminated.append((own, solved))
    by_identity = np.linalg.solve(system, wanted)
    steps = []
    for own, solved in eliminated:
        step = np.zeros(len(own))
        step[shared] = by_identity
        step[own] = -solved[:, -1] - solved[:, :-1] @ by_identity
        steps.append(step)
    return steps
