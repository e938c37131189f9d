"""Make the zip that Blender installs: ``python build_addon.py [--platform linux-x64|...|all]``.

The zip holds the add-on, the package `shared` inside of it, wheels of pyzmq and msgpack for the platform and for the
Pythons of Blender 4.2 to 5.0 (3.11) and 5.1 and later (3.13), and the backend's own wheel with the versions that it was
tested with, from which the add-on's preferences install the backend. The same sources and wheels give the same bytes.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import tomllib
import zipfile
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parent
ADDON = ROOT / "blender_addon"
CACHE = ROOT / "build" / "wheels"
DIST = ROOT / "dist"
REQUIREMENTS = ("pyzmq==27.3.0", "msgpack==1.2.4")
PYTHON_VERSIONS = ("3.11", "3.13")

# Blender's names of the platforms, and the wheel tags that run there, newest first.
PLATFORMS: dict[str, tuple[str, ...]] = {
    "linux-x64": ("manylinux_2_28_x86_64", "manylinux_2_27_x86_64", "manylinux_2_17_x86_64", "manylinux2014_x86_64"),
    "windows-x64": ("win_amd64",),
    "macos-arm64": ("macosx_11_0_arm64", "macosx_10_15_universal2", "macosx_10_9_universal2"),
    "macos-x64": ("macosx_10_15_x86_64", "macosx_10_9_x86_64", "macosx_10_15_universal2", "macosx_10_9_universal2"),
}
EPOCH = (2020, 1, 1, 0, 0, 0)


class BuildError(Exception):
    """Something that keeps the zip from being made, in words for whoever runs this."""


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="Make the zip that Blender installs.")
    parser.add_argument(
        "--platform", choices=[*PLATFORMS, "all"], default=this_platform(), help="default: this machine"
    )
    parser.add_argument("--out", type=Path, default=DIST, help="folder for the zips, default: dist")
    parser.add_argument("--offline", action="store_true", help="take wheels from build/wheels only")
    parser.add_argument("--no-backend", action="store_true", help="leave the backend's wheel out")
    chosen = parser.parse_args(arguments)
    platforms = list(PLATFORMS) if chosen.platform == "all" else [chosen.platform]
    try:
        with tempfile.TemporaryDirectory() as folder:
            backend = None if chosen.no_backend else build_backend_wheel(Path(folder), chosen.offline)
            for platform in platforms:
                path = build_zip(platform, dependency_wheels(platform, chosen.offline), backend, chosen.out)
                print(f"{path}  {path.stat().st_size / 2**20:.1f} MB")
    except BuildError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def this_platform() -> str:
    """Blender's name of the platform that this runs on."""
    if sys.platform == "win32":
        return "windows-x64"
    if sys.platform == "darwin":
        return "macos-arm64" if os.uname().machine == "arm64" else "macos-x64"
    return "linux-x64"


def dependency_wheels(platform: str, offline: bool = False) -> list[Path]:
    """Wheels of the add-on's two dependencies for every Python that Blender has, fetched once and kept.

    Raises:
        BuildError: a wheel is neither in the cache nor to be had.
    """
    wheels: dict[str, Path] = {}
    for version in PYTHON_VERSIONS:
        digits = version.replace(".", "")
        folder = CACHE / platform / f"cp{digits}"
        stamp = folder / "requirements.txt"
        if not stamp.is_file() or stamp.read_text() != "\n".join(REQUIREMENTS):
            if offline:
                raise BuildError(
                    f"There are no wheels for {platform}, Python {version} in {CACHE}; run without --offline."
                )
            shutil.rmtree(folder, ignore_errors=True)
            tags = [f"--platform={tag}" for tag in PLATFORMS[platform]]
            tags += [f"--abi=cp{digits}", "--abi=abi3", "--implementation=cp", f"--python-version={version}"]
            run_pip(["download", "--only-binary=:all:", "--no-deps", *tags, "-d", str(folder), *REQUIREMENTS])
            stamp.write_text("\n".join(REQUIREMENTS))
        wheels |= {wheel.name: wheel for wheel in folder.glob("*.whl")}
    return [wheels[name] for name in sorted(wheels)]


def build_backend_wheel(folder: Path, offline: bool = False) -> Path:
    """The backend's wheel, built from a clean copy so that nothing left over from older builds slips in.

    Raises:
        BuildError: pip cannot build it.
    """
    source = folder / "source"
    for name in ("backend", "shared"):
        shutil.copytree(ROOT / name, source / name, ignore=shutil.ignore_patterns("__pycache__", ".*"))
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy2(ROOT / name, source / name)
    isolation = ["--no-build-isolation"] if offline else []
    run_pip(["wheel", "--no-deps", *isolation, "-w", str(folder / "wheel"), str(source)])
    return next((folder / "wheel").glob("*.whl"))


def build_zip(platform: str, wheels: Sequence[Path], backend_wheel: Path | None, out: Path) -> Path:
    """Write one zip and return its path."""
    manifest = (ADDON / "blender_manifest.toml").read_text(encoding="utf-8")
    version = tomllib.loads(manifest)["version"]
    files: dict[str, bytes] = {"LICENSE": (ROOT / "LICENSE").read_bytes()}
    files["blender_manifest.toml"] = completed_manifest(manifest, platform, wheels).encode()
    files |= {path.relative_to(ADDON).as_posix(): path.read_bytes() for path in sorted(ADDON.rglob("*.py"))}
    files |= {path.relative_to(ROOT).as_posix(): path.read_bytes() for path in sorted((ROOT / "shared").rglob("*.py"))}
    files |= {f"wheels/{path.name}": path.read_bytes() for path in wheels}
    if backend_wheel is not None:
        files[f"backend/{backend_wheel.name}"] = backend_wheel.read_bytes()
        files["backend/constraints.txt"] = (ROOT / "constraints.txt").read_bytes()
    out.mkdir(parents=True, exist_ok=True)
    target = out / f"relightify-{version}-{platform}.zip"
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for name in sorted(files):
            entry = zipfile.ZipInfo(name, EPOCH)
            entry.compress_type = zipfile.ZIP_STORED if name.endswith(".whl") else zipfile.ZIP_DEFLATED
            entry.external_attr = 0o644 << 16
            archive.writestr(entry, files[name])
    return target


def completed_manifest(manifest: str, platform: str, wheels: Sequence[Path]) -> str:
    """The manifest with platform and wheels; they stand before its first table, where TOML wants them."""
    listed = "".join(f'  "./wheels/{wheel.name}",\n' for wheel in wheels)
    head, table, tail = manifest.partition("[permissions]")
    return f'{head}platforms = ["{platform}"]\nwheels = [\n{listed}]\n\n{table}{tail}'


def run_pip(arguments: Sequence[str]) -> None:
    """Run pip quietly; its own words are shown when it fails."""
    environment = {**os.environ, "SOURCE_DATE_EPOCH": "1577836800", "PIP_DISABLE_PIP_VERSION_CHECK": "1"}
    done = subprocess.run(
        [sys.executable, "-m", "pip", *arguments], env=environment, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise BuildError(f"pip {arguments[0]} failed:\n{done.stdout}{done.stderr}")


if __name__ == "__main__":
    raise SystemExit(main())
