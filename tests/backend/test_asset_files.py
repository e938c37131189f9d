"""What ships is loaded as it shipped, or not at all, and the error names the file and the cure."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from backend.asset_files import ASSETS, MANIFEST, listed_files, manifest, verified, write_manifest
from backend.head.model import load_head_model
from backend.identity.embedder import load_face_embedder
from backend.prior.diffusion.weights import load_autoencoder
from backend.prior.linear.factor_model import load_coarse_prior
from backend.training.__main__ import main as training
from shared.errors import RelightifyError


def test_manifest_is_true_of_every_file_that_ships() -> None:
    assert manifest()["files"] == listed_files()
    assert len(manifest()["files"]) >= 17
    assert set(manifest()["fetched"]) == {"face_landmarker.task", "selfie_multiclass_256x256.tflite"}


def test_command_writes_the_manifest_only_where_it_is_not_true() -> None:
    before = (ASSETS / MANIFEST).stat().st_mtime_ns
    assert training(["manifest"]) == 0
    assert (ASSETS / MANIFEST).stat().st_mtime_ns == before


@pytest.fixture
def assets(tmp_path: Path) -> Path:
    """A small folder of assets of its own, with its manifest."""
    (tmp_path / "network").mkdir()
    (tmp_path / "prior.safetensors").write_bytes(b"weights" * 1000)
    (tmp_path / "network" / "config.json").write_text("{}")
    (tmp_path / "network" / "model.safetensors").write_bytes(b"more weights")
    (tmp_path / MANIFEST).write_text(json.dumps({"files": {}, "fetched": {"a.task": "1234"}}))
    assert write_manifest(tmp_path)
    return tmp_path


def code_of(path: Path, assets: Path) -> tuple[str, str]:
    with pytest.raises(RelightifyError) as caught:
        verified(path, assets)
    assert "Install the backend again" in caught.value.hint
    return caught.value.code, caught.value.message


def test_whole_files_and_folders_pass_and_a_new_manifest_says_the_same(assets: Path) -> None:
    for name in ("prior.safetensors", "network", "network/config.json"):
        assert verified(assets / name, assets) == assets / name
    assert not write_manifest(assets)
    assert manifest(assets / MANIFEST)["fetched"] == {"a.task": "1234"}
    assert verified(assets.parent / "somebody-elses.npz", assets), "files elsewhere are not looked at"


@pytest.mark.parametrize("name", ["prior.safetensors", "network/model.safetensors"])
def test_flipped_byte_is_noticed_though_the_file_was_whole_a_moment_ago(assets: Path, name: str) -> None:
    verified(assets / name, assets)
    data = bytearray((assets / name).read_bytes())
    data[5] ^= 1
    (assets / name).write_bytes(data)
    code, message = code_of((assets / name) if name == "prior.safetensors" else assets / "network", assets)
    assert code == "asset_corrupt"
    assert name in message


def test_missing_file_is_named(assets: Path) -> None:
    (assets / "network" / "model.safetensors").unlink()
    code, message = code_of(assets / "network", assets)
    assert code == "asset_missing"
    assert "network/model.safetensors" in message


def test_file_that_is_not_listed_is_not_loaded(assets: Path) -> None:
    (assets / "new.npz").write_bytes(b"x")
    assert code_of(assets / "new.npz", assets)[0] == "asset_corrupt"


@pytest.mark.parametrize("content", ["", "{", "[]", '{"files": 3, "fetched": {}}', None])
def test_damaged_or_missing_manifest_is_an_error(tmp_path: Path, content: str | None) -> None:
    if content is not None:
        (tmp_path / MANIFEST).write_text(content)
    expected = "asset_missing" if content is None else "asset_corrupt"
    assert code_of(tmp_path / "x", tmp_path)[0] == expected


@pytest.mark.parametrize("load", [load_head_model, load_coarse_prior, load_face_embedder])
def test_loaders_of_what_ships_go_through_the_manifest(load: object, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Path] = []

    def refuse(path: Path) -> Path:
        asked.append(path)
        raise RelightifyError("asset_corrupt", "It is damaged.", "Install the backend again.")

    for module in ("backend.head.model", "backend.prior.linear.factor_model", "backend.identity.embedder"):
        monkeypatch.setattr(f"{module}.verified", refuse)
    assert callable(load)
    with pytest.raises(RelightifyError):
        load()
    assert len(asked) == 1
    assert asked[0].is_relative_to(ASSETS)


def test_pickle_beside_missing_weights_is_not_loaded(tmp_path: Path) -> None:
    folder = tmp_path / "texture_autoencoder"
    shutil.copytree(ASSETS / "diffusion" / "texture_autoencoder", folder)
    (folder / "diffusion_pytorch_model.safetensors").rename(folder / "diffusion_pytorch_model.bin")
    with pytest.raises(OSError, match="safetensors"):
        load_autoencoder(tmp_path, "texture")


def test_diffusers_loads_nothing_itself() -> None:
    """It would take pickles, and look for files on the network."""
    for path in ASSETS.parent.rglob("*.py"):
        assert ".from_pretrained(" not in path.read_text(), path
