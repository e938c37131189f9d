"""Sparse matrices with a few entries in each row: what takes values from a mesh's vertices to points on it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import sparse

from backend.imaging.arrays import Array, is_tensor, to_device


@dataclass(frozen=True)
class GatheredRows:
    """Such a matrix on a device: row i of the product is the sum over k of `weights[i, k] * values[columns[i, k]]`.

    Plain gathers, summed in their order: every device has them, and they give the same bytes each time.

    Args:
        columns: tensor int64 [P, k].
        weights: tensor float32 [P, k].
    """

    columns: Array
    weights: Array

    def __matmul__(self, values: Array) -> Array:
        """The product [P, ...] with values [r, ...]."""
        shape = (-1,) + (1,) * (values.ndim - 1)
        result = self.weights[:, 0].reshape(shape) * values[self.columns[:, 0]]
        for k in range(1, self.columns.shape[1]):
            result += self.weights[:, k].reshape(shape) * values[self.columns[:, k]]
        return result

    def __getitem__(self, rows: slice) -> GatheredRows:
        return GatheredRows(self.columns[rows], self.weights[rows])


def sparse_rows(columns: Array, weights: Array, width: int, in_order: bool = False) -> Any:
    """A matrix [P, width] with `weights` float32 [P, k] of each row in its `columns` int [P, k]: SciPy's, or of tensors
    one on their device; `matrix @ values` and `matrix[rows]` of both are alike.

    Args:
        columns, weights: of one kind.
        width: columns of the matrix.
        in_order: whether SciPy is to add a row's entries in the order of their columns.
    """
    if is_tensor(columns):
        return GatheredRows(columns.long(), weights)
    starts = np.arange(0, columns.size + 1, columns.shape[1])
    matrix = sparse.csr_matrix((weights.reshape(-1), columns.reshape(-1), starts), shape=(len(columns), width))
    if in_order:
        matrix.sum_duplicates()
    return matrix


def gathered_rows(matrix: sparse.csr_matrix, device: str) -> GatheredRows:
    """A sparse matrix of SciPy's on a device of PyTorch's; rows with fewer entries than others are filled up."""
    counts = np.diff(matrix.indptr)
    columns = np.zeros((len(counts), counts.max()), np.int64)
    weights = np.zeros(columns.shape, np.float32)
    there = np.arange(columns.shape[1]) < counts[:, None]
    columns[there], weights[there] = matrix.indices, matrix.data
    return GatheredRows(to_device(columns, device), to_device(weights, device))
