"""Removes from an environment what no line of the backend runs; run by that environment's Python, as a script.

Tests, C++ headers and tools for building extensions: a third of PyTorch, some of the others.
"""

from __future__ import annotations

import shutil
import sysconfig
from pathlib import Path

SCRIPT = Path(__file__).resolve()
# Folders and files by package, as patterns below site-packages.
NEVER_USED = (
    # Programs that test PyTorch's C++ side, and a compiler of messages; beside them lies one that PyTorch starts.
    "torch/test",
    "torch/bin/*Test*",
    "torch/bin/test_*",
    "torch/bin/protoc*",
    # For compiling and linking C++ against PyTorch.
    "torch/include",
    "torch/lib/*.lib",
    "networkx/**/tests",
    "numpy/**/tests",
    "scipy/**/tests",
    "sympy/**/tests",
)


def trim(site_packages: Path) -> int:
    """Remove what is never used; returns the bytes that it took."""
    freed = 0
    for pattern in NEVER_USED:
        # A list: what is inside of a folder that has just been removed must not be looked for.
        for path in sorted(site_packages.glob(pattern)):
            if not path.exists():
                continue
            if path.is_dir() and not path.is_symlink():
                freed += sum(file.lstat().st_size for file in path.rglob("*") if file.is_file())
                shutil.rmtree(path)
            else:
                freed += path.lstat().st_size
                path.unlink()
    return freed


if __name__ == "__main__":
    freed = sum(trim(Path(folder)) for folder in {sysconfig.get_path("purelib"), sysconfig.get_path("platlib")})
    print(f"Removed {freed / 1e6:.0f} MB of tests and headers")
