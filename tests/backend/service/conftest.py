"""All of the service's files go into a temporary cache folder."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from shared.connection import Connection
from shared.paths import CACHE_VARIABLE
from tests.backend.service.running import running_server


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("cache")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(CACHE_VARIABLE, str(folder))
        yield folder


@pytest.fixture(scope="module")
def connection(cache: Path) -> Iterator[Connection]:
    """A server that the tests of one module share."""
    assert cache.is_dir()
    with running_server() as connection:
        yield connection
