"""Missing system libraries are named before MediaPipe ends the process over them."""

from __future__ import annotations

import sys

import pytest

from backend.photo.networks.native_libraries import require_graphics_libraries
from shared.errors import RelightifyError


def only_egl(name: str) -> object:
    if name != "libEGL.so.1":
        raise OSError(f"{name}: cannot open shared object file")
    return object()


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="other systems bring these libraries along")
def test_a_missing_library_is_named_with_the_package_to_install() -> None:
    with pytest.raises(RelightifyError) as raised:
        require_graphics_libraries(only_egl)
    assert raised.value.code == "missing_library"
    assert "libGLESv2.so.2" in raised.value.message
    assert "libEGL" not in raised.value.message
    assert "install" in raised.value.hint
