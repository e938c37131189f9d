"""Removes from an environment what no line of the backend runs; run by that environment's Python, as a script.

Tests, C++ headers and tools for building extensions: a fifth of PyTorch, some of the others; and in Linux's libraries
the names of functions for debuggers, a fifth of the largest ones.
"""

from __future__ import annotations

import os
import shutil
import struct
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

# Libraries whose tables for debuggers are large; others hardly have any.
LIBRARIES = ("torch/lib/*.so", "mediapipe/tasks/c/*.so")
# ELF, 64 bits, little-endian: what every Linux is that the backend runs on.
ELF_MAGIC = b"\x7fELF\x02\x01"
# Where the header says how the file is loaded (e_phoff to e_phnum), and where its sections are described.
ELF_LOADING, ELF_SEGMENT, ELF_SEGMENT_BYTES = struct.Struct("<QQIHHH"), struct.Struct("<IIQQQQQQ"), 56
LOADING_AT, SECTIONS_AT, SECTION_COUNT_AT, HEADER_BYTES = 32, 40, 58, 64


def trim(site_packages: Path) -> int:
    """Remove what is never used; returns the bytes that it took."""
    freed = sum(cut_off_symbols(path) for pattern in LIBRARIES for path in sorted(site_packages.glob(pattern)))
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


def cut_off_symbols(library: Path) -> int:
    """Cut off what stands behind the last part of a library that is loaded; returns its bytes.

    The tables of local names and the description of the sections stand there. A loader reads the program header alone
    (System V ABI, ELF: "files used during linking must have a section header table; other object files may or may not
    have one").
    """
    size = library.stat().st_size
    with library.open("rb") as file:
        header = bytearray(file.read(HEADER_BYTES))
        if len(header) < HEADER_BYTES or not header.startswith(ELF_MAGIC):
            return 0
        place, _, _, _, entry_bytes, count = ELF_LOADING.unpack_from(header, LOADING_AT)
        if entry_bytes != ELF_SEGMENT_BYTES:
            return 0
        file.seek(place)
        table = file.read(entry_bytes * count)
        segments = list(ELF_SEGMENT.iter_unpack(table))
        # Offset and size in the file of each segment; the table itself is loaded as well.
        end = max([place + len(table), *(segment[2] + segment[5] for segment in segments)])
        if len(segments) != count or not HEADER_BYTES < end < size:
            return 0
        struct.pack_into("<Q", header, SECTIONS_AT, 0)
        struct.pack_into("<HHH", header, SECTION_COUNT_AT, 0, 0, 0)
        temporary = library.with_name(f"{library.name}.trimmed")
        file.seek(HEADER_BYTES)
        with temporary.open("wb") as target:
            target.write(header)
            left = end - HEADER_BYTES
            while left:
                block = file.read(min(left, 1 << 20))
                target.write(block)
                left -= len(block)
    shutil.copymode(library, temporary)
    os.replace(temporary, library)
    return size - end


if __name__ == "__main__":
    freed = sum(trim(Path(folder)) for folder in {sysconfig.get_path("purelib"), sysconfig.get_path("platlib")})
    print(f"Removed {freed / 1e6:.0f} MB of tests, headers and symbols")
