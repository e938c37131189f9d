"""What no line of the backend runs is removed, and nothing else."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from blender_addon.install.trim import SCRIPT, cut_off_symbols, trim


def test_tests_and_headers_go_and_the_rest_stays(tmp_path: Path) -> None:
    gone = ["torch/test/a_test", "torch/include/ATen/ATen.h", "torch/lib/torch_cpu.lib"]
    gone += [f"torch/bin/{name}" for name in ("protoc-3.13", "TCPStoreTest.exe", "test_api")]
    gone += ["scipy/linalg/tests/test_a.py", "numpy/_core/tests/data/x.bin", "sympy/core/tests/__init__.py"]
    kept = ["torch/lib/libtorch_cpu.so", "torch/testing/__init__.py", "torch/nn/modules/conv.py"]
    # Without it `import torch` fails.
    kept += ["torch/bin/torch_shm_manager"]
    kept += ["numpy/testing/__init__.py", "scipy/linalg/lapack.py", "cv2/tests/x.py", "backend/tests/y.py"]
    for name in (*gone, *kept):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"1234567890")
    assert trim(tmp_path) == 10 * len(gone)
    left = {path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*") if path.is_file()}
    assert left == set(kept)
    assert trim(tmp_path) == 0


def test_it_needs_nothing_but_the_python_that_runs_it() -> None:
    """It is run by the new environment's Python, which knows neither the add-on nor its packages."""
    code = f"import runpy; runpy.run_path({str(SCRIPT)!r}, run_name='looked at')"
    subprocess.run([sys.executable, "-I", "-S", "-c", code], check=True)


def small_library() -> Path:
    """A compiled module that is installed here and has something behind what is loaded."""
    import msgpack

    return next(Path(msgpack.__file__).parent.glob("_cmsgpack*.so"))


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="other systems have other libraries")
def test_library_without_its_symbols_is_loaded_and_works(tmp_path: Path) -> None:
    package = Path(shutil.copytree(small_library().parent, tmp_path / "msgpack"))
    library = package / small_library().name
    with library.open("ab") as file:
        file.write(b"\0" * 100_000)
    size = library.stat().st_size
    freed = cut_off_symbols(library)
    assert freed > 100_000
    assert library.stat().st_size == size - freed
    code = (
        f"import sys; sys.path.insert(0, {str(tmp_path)!r}); import msgpack, msgpack._cmsgpack\n"
        f"assert msgpack._cmsgpack.__file__ == {str(library)!r}\n"
        "assert msgpack.unpackb(msgpack.packb([1, 'two'])) == [1, 'two']"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
    assert cut_off_symbols(library) == 0, "once is enough"


@pytest.mark.parametrize("content", [b"", b"MZ" + b"\0" * 100, b"\x7fELF\x01\x01" + b"\0" * 100, b"\x7fELF\x02\x01"])
def test_what_is_no_library_of_this_kind_is_left_alone(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "x.so"
    path.write_bytes(content)
    assert cut_off_symbols(path) == 0
    assert path.read_bytes() == content


def test_file_that_ends_too_early_is_left_alone(tmp_path: Path) -> None:
    if not sys.platform.startswith("linux"):
        pytest.skip("other systems have other libraries")
    path = tmp_path / "x.so"
    path.write_bytes(small_library().read_bytes()[:2000])
    assert cut_off_symbols(path) == 0
    assert path.stat().st_size == 2000
