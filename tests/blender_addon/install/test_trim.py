"""What no line of the backend runs is removed, and nothing else."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from blender_addon.install.trim import SCRIPT, trim


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
