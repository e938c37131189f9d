"""Carries displacement fields of the ICT model over to the whole `hm08` head, as one linear map."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.spatial import KDTree

from backend.training.head.lashes import move_lashes
from backend.training.head.mean_head import Eye, lip_partners
from backend.training.head.registration.extension import Linings, smooth_solver, vertices_of
from backend.training.head.registration.ict_registration import IctCorrespondence
from backend.training.head.sources.hm08 import HeadTopology
from backend.training.head.sources.ict import IctModel

SIDES = ("left", "right")
MOUTH_LINE = -0.071  # metres, head space: height of the closed lips on the mean
LIP_SOFTNESS = 0.004  # metres around the contact of the lips where their correspondence counts less
FIRST_UPPER_TOOTH = 15060  # hm08 numbers the lower teeth before the upper ones
Motion = Callable[[np.ndarray], np.ndarray]  # points [n, 3] to displacements [K, n, 3]


class Carrier:
    """The linear map from displacement fields on the ICT mesh to fields on the head."""

    def __init__(
        self,
        topology: HeadTopology,
        correspondence: IctCorrespondence,
        ict: IctModel,
        mean: np.ndarray,
        eyes: tuple[Eye, Eye],
    ) -> None:
        """`mean` [V, 3] is the finished mean head, before it is centred between its own eyeballs."""
        self._topology, self._correspondence, self._ict, self._eyes = topology, correspondence, ict, eyes
        self._mean = mean
        # Skin that the ICT surface does not show: the depth of the nostrils.
        self.hidden = correspondence.trust == 0
        self._body = vertices_of(topology, "skin", "mouth")
        self._linings = Linings(topology, mean)
        self._jaws = tuple(_Jaw(vertices_of_jaw(topology, lower=lower), lower) for lower in (False, True))
        self._lips = [np.stack(lip_partners(topology, ring)) for ring in (topology.lip_contact, topology.lip_margin)]
        weight = correspondence.trust.copy()
        contact = KDTree(mean[topology.lip_contact]).query(mean)[0]
        weight[contact < LIP_SOFTNESS] *= 0.2
        weight[np.concatenate([pair.ravel() for pair in self._lips])] = 3
        quads = topology.quads[np.isin(topology.face_part, [0, 1])]
        # Identities take the linings along with the skin in front of them; when the mouth opens, they only hang on it.
        self._identity_weight, self._expression_weight = weight.copy(), correspondence.trust.copy()
        self._identity_weight[self._linings.vertices] = 0.3
        self._expression_weight[self._linings.vertices] = 0.003
        self._identity_solve = smooth_solver(quads, self._body, self._identity_weight[self._body])
        self._expression_solve = smooth_solver(quads, self._body, self._expression_weight[self._body])

    def identities(self, fields: np.ndarray) -> np.ndarray:
        """Identity fields [K, V_ict, 3] (displacements, metres) on the head, float64 [K, V, 3], with the origin kept
        midway between the eyeballs.

        Skin follows its correspondence, eyeballs move by translation and scale, each row of teeth by the affine map
        that fits the ICT row best, linings follow smoothly, lashes follow the lids, and the lid margins stay on the
        eyeballs to first order.
        """
        on_body = self._correspondence.interpolate(fields)
        for upper, lower in self._lips:
            # Lips that touch move as one, or those of some people would cut into each other.
            on_body[:, upper] = on_body[:, lower] = (on_body[:, upper] + on_body[:, lower]) / 2
        out = np.zeros((len(fields), len(self._mean), 3))
        moves = [self._eyeball_motion(fields, side) for side in SIDES]
        for move, eye_ball in zip(moves, self._eyes, strict=True):
            radial = self._mean[eye_ball.margin] - eye_ball.centre
            radial /= np.linalg.norm(radial, axis=1, keepdims=True)
            slip = (move(self._mean[eye_ball.margin]) - on_body[:, eye_ball.margin]) * radial
            on_body[:, eye_ball.margin] += slip.sum(axis=-1, keepdims=True) * radial
            out[:, eye_ball.vertices] = move(self._mean[eye_ball.vertices])
        on_body[:, self._linings.vertices] = self._linings.follow(on_body, self._move_insides(fields, out, moves))
        out[:, self._body] = self._extend(on_body, self._identity_weight, self._identity_solve)
        out = move_lashes(self._topology, out, self._mean)
        centres = [move(eye.centre[None]) for move, eye in zip(moves, self._eyes, strict=True)]
        return out - (centres[0] + centres[1]) / 2

    def expressions(self, fields: np.ndarray) -> np.ndarray:
        """Expression fields [K, V_ict, 3] on skin, linings, teeth and tongue, float64 [K, V, 3]; eyeballs and lashes
        stay where they are."""
        on_body = self._correspondence.interpolate(fields)
        out = np.zeros((len(fields), len(self._mean), 3))
        rest = [_stay(len(fields)), _stay(len(fields))]
        on_body[:, self._linings.vertices] = self._move_insides(fields, out, rest)
        out[:, self._body] = self._extend(on_body, self._expression_weight, self._expression_solve)
        return out

    def _move_insides(self, fields: np.ndarray, out: np.ndarray, eyes: list[Motion]) -> np.ndarray:
        """Set teeth and tongue in `out`; returns how the linings [K, n, 3] would move with what lies inside: sockets
        with the eyeballs, the mouth with the jaws."""
        lining = self._linings.vertices
        place = self._mean[lining]
        inside = np.zeros((len(fields), len(lining), 3))
        for jaw in self._jaws:
            move = self._affine_fit(fields, jaw.lower)
            out[:, jaw.vertices] = move(self._mean[jaw.vertices])
            beside = (place[:, 1] < MOUTH_LINE) == jaw.lower
            inside[:, beside] = move(place[beside])
        for move, eye_ball in zip(eyes, self._eyes, strict=True):
            beside = np.linalg.norm(place - eye_ball.centre, axis=1) < 2 * eye_ball.radius
            inside[:, beside] = move(place[beside])
        return inside

    def _extend(self, on_body: np.ndarray, weight: np.ndarray, solve: Callable[[np.ndarray], np.ndarray]) -> np.ndarray:
        data = np.moveaxis(on_body[:, self._body], 0, 1).reshape(len(self._body), -1)
        solved = solve(weight[self._body, None] * data).reshape(len(self._body), len(on_body), 3)
        return np.moveaxis(solved, 1, 0)

    def _eyeball_motion(self, fields: np.ndarray, side: str) -> Motion:
        ids = self._ict.part_vertices(f"eyeball_{side}")
        place = self._ict.mean[ids]
        middle = place.mean(axis=0)
        arm, motion = place - middle, fields[:, ids].astype(np.float64)
        shift = motion.mean(axis=1)
        growth = np.einsum("vd,kvd->k", arm, motion) / (arm**2).sum()
        return lambda points: shift[:, None] + growth[:, None, None] * (points - middle)

    def _affine_fit(self, fields: np.ndarray, lower: bool) -> Motion:
        ids = self._ict.part_vertices("teeth")
        ids = ids[self._row_of_teeth(ids) == lower]
        middle = self._ict.mean[ids].mean(axis=0)

        def design(points: np.ndarray) -> np.ndarray:
            return np.hstack([(points - middle) * 20, np.ones((len(points), 1))])

        flat = np.moveaxis(fields[:, ids].astype(np.float64), 0, 1).reshape(len(ids), -1)
        solution = np.linalg.lstsq(design(self._ict.mean[ids]), flat, rcond=None)[0]
        return lambda points: np.moveaxis((design(points) @ solution).reshape(len(points), len(fields), 3), 1, 0)

    def _row_of_teeth(self, ids: np.ndarray) -> np.ndarray:
        """True for the lower teeth of the ICT mesh, bool [n]: they move when the jaw opens."""
        jaw_open = self._ict.expressions[self._ict.expression_names.index("jawOpen")][ids]
        return np.linalg.norm(jaw_open, axis=1) > 1e-4


@dataclass(frozen=True)
class _Jaw:
    """Teeth (and tongue) of one jaw, vertex numbers."""

    vertices: np.ndarray
    lower: bool


def _stay(count: int) -> Motion:
    return lambda points: np.zeros((count, len(points), 3))


def vertices_of_jaw(topology: HeadTopology, *, lower: bool) -> np.ndarray:
    """Vertices int64 [n] of the upper teeth, or of the lower teeth and the tongue."""
    teeth = vertices_of(topology, "teeth")
    upper = topology.hm08_vertex_ids[teeth] >= FIRST_UPPER_TOOTH
    return np.concatenate([teeth[~upper], vertices_of(topology, "tongue")]) if lower else teeth[upper]
