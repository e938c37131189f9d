"""The loop of Levenberg and Marquardt (Marquardt 1963, "An algorithm for least-squares estimation of nonlinear
parameters"), whatever the unknowns and their linear model are."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

Unknowns = TypeVar("Unknowns")
Model = TypeVar("Model")
# Called before each step with the part of all steps that are done; may raise to stop.
OnStep = Callable[[float], None]


def no_step(fraction: float) -> None:
    """Nobody wants to know."""
    del fraction


@dataclass(frozen=True)
class Minimum(Generic[Unknowns]):
    """Where a minimisation stopped.

    Args:
        parameters: of the least cost found.
        damping: for the next step, relative to the Hessian's diagonal; grown by each step that was rejected.
    """

    parameters: Unknowns
    damping: float


def descend(
    linearise: Callable[[Unknowns], Model],
    cost: Callable[[Model], float],
    stepped: Callable[[Model, Unknowns, float], Unknowns],
    parameters: Unknowns,
    iterations: int,
    on_step: OnStep = no_step,
    damping: float = 1e-3,
) -> Minimum[Unknowns]:
    """Minimise a cost by damped Gauss-Newton steps.

    Args:
        linearise: the cost and its Gauss-Newton model at some parameters.
        cost: of such a model, where it was made.
        stepped: the parameters after the step that a model, made at parameters, asks for with a damping.
        parameters: where to start.
        iterations: at most so many accepted or rejected steps.
        on_step: see `OnStep`.
        damping: of the first step, relative to the Hessian's diagonal: of `Minimum` where a minimisation is gone on
            with, so that steps rejected at its end are not tried again.
    """
    model = linearise(parameters)
    for index in range(iterations):
        on_step(index / iterations)
        trial = stepped(model, parameters, damping)
        trial_model = linearise(trial)
        before, after = cost(model), cost(trial_model)
        if after < before:
            converged = before - after < 1e-5 * before
            parameters, model = trial, trial_model
            damping = max(damping * 0.3, 1e-7)
            if converged:
                break
        else:
            damping *= 8
            if damping > 1e6:
                break
    return Minimum(parameters, damping)
