"""Make the zip that Blender installs: ``python build_addon.py [--platform linux-x64|...|all]``.

The zip holds the add-on, the package `shared` inside of it, wheels of pyzmq and msgpack for the platform and for the
Pythons that Blenders have, and the backend's own wheel with the versions that it was tested with, from which the
add-on's preferences install the backend. The same sources and wheels give the same bytes.

``--offline-bundle FOLDER`` makes a folder with the zip and everything that the installation would download.
"""

from __future__ import annotations

import argparse
import json
import re
import shutil
import sys
import tempfile
import tomllib
import zipfile
from collections.abc import Sequence
from pathlib import Path

from blender_addon.install.variants import VARIANTS
from blender_addon.links import FILE_NAME, TEXTS
from release.bundle import BundleOptions, make_bundle
from release.wheels import EPOCH, PLATFORMS, BuildError, dependency_wheels, run_pip, this_platform
from shared.errors import RelightifyError

ROOT = Path(__file__).resolve().parent
ADDON = ROOT / "blender_addon"
DIST = ROOT / "dist"
PACKAGES = ROOT / "install_packages.txt"


def main(arguments: Sequence[str] | None = None) -> int:
    chosen = parser().parse_args(arguments)
    platforms = list(PLATFORMS) if chosen.platform == "all" else [chosen.platform]
    bundle, out = chosen.offline_bundle, chosen.out
    if bundle is not None and (chosen.platform == "all" or chosen.no_backend):
        print("An offline bundle is for one platform, and has the backend.", file=sys.stderr)
        return 2
    try:
        if bundle is not None:
            options = BundleOptions(
                chosen.platform, tuple(chosen.bundle_python), chosen.bundle_variant, chosen.torch_index
            )
            made, out = make_bundle(bundle, options, PACKAGES, addon_version()), bundle
            print(f"{bundle}  {sum(made.files.values()) / 2**20:.0f} MB for {made.platform}")
        with tempfile.TemporaryDirectory() as folder:
            backend = None if chosen.no_backend else build_backend_wheel(Path(folder), chosen.offline)
            for platform in platforms:
                path = build_zip(platform, dependency_wheels(platform, chosen.offline), backend, out)
                print(f"{path}  {path.stat().st_size / 2**20:.1f} MB")
    except (BuildError, RelightifyError) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def parser() -> argparse.ArgumentParser:
    """The command line."""
    parser = argparse.ArgumentParser(description="Make the zip that Blender installs.")
    parser.add_argument(
        "--platform", choices=[*PLATFORMS, "all"], default=this_platform(), help="default: this machine"
    )
    parser.add_argument("--out", type=Path, default=DIST, help="folder for the zips, default: dist")
    parser.add_argument("--offline", action="store_true", help="take wheels from build/wheels only")
    parser.add_argument("--no-backend", action="store_true", help="leave the backend's wheel out")
    parser.add_argument(
        "--offline-bundle", type=Path, metavar="DIR", help="make a new folder that installs without internet"
    )
    parser.add_argument(
        "--bundle-python", nargs="+", default=["3.11"], metavar="X.Y", help="Pythons of the bundle, default: 3.11"
    )
    parser.add_argument(
        "--bundle-variant", choices=list(VARIANTS), default="none", help="PyTorch of the bundle, default: none"
    )
    parser.add_argument("--torch-index", default="", metavar="URL", help="index to take the bundle's PyTorch from")
    return parser


def addon_version() -> str:
    """The version in the manifest."""
    return tomllib.loads((ADDON / "blender_manifest.toml").read_text(encoding="utf-8"))["version"]


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
    files: dict[str, bytes] = {"LICENSE": (ROOT / "LICENSE").read_bytes()}
    links = project_links()
    files["blender_manifest.toml"] = completed_manifest(manifest, platform, wheels, links.get("Homepage", "")).encode()
    if links:
        files[FILE_NAME] = json.dumps(links, indent=1).encode()
    files |= {path.relative_to(ADDON).as_posix(): path.read_bytes() for path in sorted(ADDON.rglob("*.py"))}
    files |= {path.relative_to(ADDON).as_posix(): path.read_bytes() for path in sorted(ADDON.rglob("*.npz"))}
    files |= {path.relative_to(ROOT).as_posix(): path.read_bytes() for path in sorted((ROOT / "shared").rglob("*.py"))}
    files |= {f"wheels/{path.name}": path.read_bytes() for path in wheels}
    if backend_wheel is not None:
        files[f"backend/{backend_wheel.name}"] = backend_wheel.read_bytes()
        files["backend/constraints.txt"] = (ROOT / "constraints.txt").read_bytes()
        files["backend/packages.txt"] = PACKAGES.read_bytes()
    out.mkdir(parents=True, exist_ok=True)
    target = out / f"relightify-{addon_version()}-{platform}.zip"
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for name in sorted(files):
            entry = zipfile.ZipInfo(name, EPOCH)
            entry.compress_type = zipfile.ZIP_STORED if name.endswith(".whl") else zipfile.ZIP_DEFLATED
            entry.external_attr = 0o644 << 16
            archive.writestr(entry, files[name])
    return target


def completed_manifest(manifest: str, platform: str, wheels: Sequence[Path], website: str = "") -> str:
    """The manifest with platform, wheels and website; they stand before its first table, where TOML wants them."""
    listed = "".join(f'  "./wheels/{wheel.name}",\n' for wheel in wheels)
    head, table, tail = manifest.partition("[permissions]")
    site = f'website = "{website}"\n' if website else ""
    return f'{head}{site}platforms = ["{platform}"]\nwheels = [\n{listed}]\n\n{table}{tail}'


def project_links(pyproject: Path = ROOT / "pyproject.toml") -> dict[str, str]:
    """The project's addresses on the web that the add-on shows.

    Raises:
        BuildError: one is no address that a browser opens without a warning.
    """
    urls = tomllib.loads(pyproject.read_text(encoding="utf-8"))["project"].get("urls", {})
    links = {name: urls[name] for name in TEXTS if name in urls}
    for name, address in links.items():
        if not re.fullmatch(r"https://[\w.-]+\.\w+(/[^\s\"\\]*)?", address):
            raise BuildError(f"{name} in pyproject.toml is no https address: {address}")
    return links


if __name__ == "__main__":
    raise SystemExit(main())
