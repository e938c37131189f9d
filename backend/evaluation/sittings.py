"""What the table `identity` keeps of a person: embeddings of photographs and of renders of the head."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import torch
from torch import Tensor

from backend.evaluation.tables import Row


@dataclass(frozen=True)
class Picture:
    """A render that was looked at.

    Args:
        prior, condition: what was rendered how.
        person: whose head.
        embedding: float32 [128].
    """

    prior: str
    condition: str
    person: str
    embedding: Tensor


@dataclass(frozen=True)
class Sitting:
    """All that was looked at of one person.

    Args:
        person: who.
        first: embedding of the photo that heads were made from, float32 [128].
        second: of the person's other photo; None where there is none.
        pictures: renders of the head by every prior.
        rows: how near they are to the photo, a prior each.
    """

    person: str
    first: Tensor
    second: Tensor | None
    pictures: list[Picture]
    rows: list[Row]

    def record(self) -> dict[str, Any]:
        """As `sitting_of` reads it."""
        pictures = [[p.prior, p.condition, p.embedding.tolist()] for p in self.pictures]
        second = None if self.second is None else self.second.tolist()
        return {
            "person": self.person,
            "first": self.first.tolist(),
            "second": second,
            "pictures": pictures,
            "rows": [asdict(row) for row in self.rows],
        }


def sitting_of(record: Mapping[str, Any]) -> Sitting:
    """What `Sitting.record` wrote."""
    person, second = record["person"], record["second"]
    pictures = [Picture(prior, condition, person, torch.tensor(e)) for prior, condition, e in record["pictures"]]
    return Sitting(
        person,
        torch.tensor(record["first"]),
        None if second is None else torch.tensor(second),
        pictures,
        [Row(**row) for row in record["rows"]],
    )
