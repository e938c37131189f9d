"""Installing and removing with real processes: a tiny wheel, no network."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import sys
import time
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from blender_addon.install import machine, plan, run
from blender_addon.install.machine import FoundPython, Gpu, Survey
from blender_addon.install.plan import Step
from blender_addon.install.run import Phase, Setup, SetupOptions, installed_backend
from blender_addon.install.variants import GIB, Variant
from shared.errors import RelightifyError

BACKEND = """
import os, pathlib, sys
if sys.argv[1] == "fetch":
    cache = pathlib.Path(os.environ["RELIGHTIFY_CACHE"])
    cache.mkdir(parents=True)
    (cache / "face_landmarker.task").write_text("model")
print(sys.argv[1], "done")
"""


def make_wheel(folder: Path, name: str, files: dict[str, str]) -> Path:
    """A wheel of pure Python, made by hand so that nothing needs to be built."""
    info = f"{name}-1.0.dist-info"
    files = {
        **files,
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    record = []
    for path, text in files.items():
        digest = base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=").decode()
        record.append(f"{path},sha256={digest},{len(text.encode())}")
    files[f"{info}/RECORD"] = "\n".join([*record, f"{info}/RECORD,,"])
    wheel = folder / f"{name}-1.0-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        for path, text in files.items():
            archive.writestr(path, text)
    return wheel


@pytest.fixture
def setup() -> Iterator[Setup]:
    setup = Setup()
    yield setup
    setup.close()


@pytest.fixture
def options(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> SetupOptions:
    """A wheel with a backend in it, on a machine with a Python and room."""
    monkeypatch.delenv("RELIGHTIFY_CACHE", raising=False)
    found = Survey(Gpu("none"), FoundPython(Path(sys.executable), "3.11.9"), 10 * GIB)
    monkeypatch.setattr(machine, "survey", lambda folder, python: found)
    wheel = make_wheel(tmp_path, "relightify", {"backend/__init__.py": "", "backend/cli.py": BACKEND})
    return SetupOptions(tmp_path / "user" / "backend", wheel)


def only(*steps: Step) -> Callable[..., tuple[Step, ...]]:
    """A plan that does these steps."""
    return lambda options, base, variant: steps


def step(code: str, text: str = "Working") -> Step:
    return Step(text, (((sys.executable, "-c", code),),), 1.0)


def ended(setup: Setup, seconds: float = 600.0) -> Phase:
    deadline = time.monotonic() + seconds
    while setup.state.busy:
        assert time.monotonic() < deadline, setup.state
        time.sleep(0.02)
    return setup.state.phase


def test_backend_is_installed_used_and_removed_without_a_trace(
    setup: Setup, options: SetupOptions, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = plan.plan

    def without_network(options: SetupOptions, base: Path, variant: Variant) -> tuple[Step, ...]:
        """The real plan but for what would be downloaded."""
        steps = real(options, base, variant)
        python = str(plan.environment_python(options.folder))
        wheel = Step("Installing", (((python, "-m", "pip", "install", "--no-index", str(options.wheel)),),), 0.5)
        return (steps[0], wheel, *steps[-3:])

    monkeypatch.setattr(plan, "plan", without_network)
    setup.install(options)
    assert ended(setup) is Phase.DONE, (setup.state.error, setup.state.tail)
    installed = installed_backend(options.folder)
    assert installed is not None
    assert (installed.wheel, installed.variant) == ("relightify-1.0-py3-none-any.whl", "none")
    assert installed.size_bytes > 1000
    assert (options.folder / "cache" / "face_landmarker.task").is_file(), "what is fetched goes with the backend"
    assert "doctor done" in (options.folder / run.LOG_NAME).read_text()

    setup.remove(options.folder)
    assert ended(setup) is Phase.IDLE
    assert not options.folder.exists()


def test_second_way_is_tried_when_the_first_fails(
    setup: Setup, options: SetupOptions, monkeypatch: pytest.MonkeyPatch
) -> None:
    fails, works = (sys.executable, "-c", "raise SystemExit(1)"), (sys.executable, "-c", "print('worked')")
    monkeypatch.setattr(plan, "plan", only(Step("Trying", ((fails, works), (works,)), 1.0)))
    setup.install(options)
    assert ended(setup) is Phase.DONE
    assert "worked" in (options.folder / run.LOG_NAME).read_text()


def test_failure_is_explained_with_the_end_of_the_log_and_can_be_retried(
    setup: Setup, options: SetupOptions, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        plan, "plan", only(step("print('OSError: [Errno 28] No space left on device'); raise SystemExit(1)"))
    )
    setup.install(options)
    assert ended(setup) is Phase.FAILED
    assert setup.state.error is not None
    assert setup.state.error.code == "disk_full"
    assert "No space left" in setup.state.tail[-2]
    assert "exit status 1" in setup.state.tail[-1]
    assert installed_backend(options.folder) is None
    monkeypatch.setattr(plan, "plan", only(step("print('fine')")))
    setup.install(options)
    assert ended(setup) is Phase.DONE


def test_second_try_goes_on_and_a_fresh_one_begins_anew(
    setup: Setup, options: SetupOptions, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    python, counter, fault = plan.environment_python(options.folder), tmp_path / "count", tmp_path / "fault"
    make = f"import pathlib; p = pathlib.Path({str(python)!r}); p.parent.mkdir(parents=True, exist_ok=True); p.touch()"
    count = f"open({str(counter)!r}, 'a').write('x')"
    fails = f"import os; raise SystemExit(os.path.exists({str(fault)!r}))"
    monkeypatch.setattr(plan, "plan", only(step(make, "Making"), step(count, "Counting"), step(fails, "Failing")))
    fault.touch()
    for fresh, expected in ((False, "x"), (False, "x"), (True, "xx")):
        setup.install(options, fresh=fresh)
        assert ended(setup) is Phase.FAILED
        assert run.begun(options.folder)
        assert counter.read_text() == expected
    fault.unlink()
    setup.install(options)
    assert ended(setup) is Phase.DONE
    assert counter.read_text() == "xx"
    assert not run.begun(options.folder), "what is installed is done again when asked for again"
    setup.install(options)
    assert ended(setup) is Phase.DONE
    assert counter.read_text() == "xxx"


@pytest.mark.skipif(os.name != "posix", reason="other systems tell crashes by numbers")
def test_native_crash_keeps_its_last_lines(
    setup: Setup, options: SetupOptions, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(plan, "plan", only(step("import os; os.write(2, b'the driver is too old\\n'); os.abort()")))
    setup.install(options)
    assert ended(setup) is Phase.FAILED
    assert setup.state.error is not None
    assert "SIGABRT" in setup.state.error.message
    assert "the driver is too old" in setup.state.error.message
    assert "the driver is too old" in (options.folder / run.LOG_NAME).read_text()
    assert any("the driver is too old" in line for line in setup.state.tail)


@pytest.mark.skipif(os.name != "posix", reason="children are looked for by their process group")
def test_cancel_ends_the_command_and_its_children(
    setup: Setup, options: SetupOptions, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    note = tmp_path / "child"
    code = (
        "import subprocess, sys, pathlib, time\n"
        "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)'])\n"
        f"pathlib.Path({str(note)!r}).write_text(str(child.pid)); time.sleep(60)"
    )
    monkeypatch.setattr(plan, "plan", only(step(code)))
    setup.install(options)
    deadline = time.monotonic() + 20
    while not (note.exists() and note.read_text()) and time.monotonic() < deadline:
        time.sleep(0.02)
    with pytest.raises(RelightifyError, match="being installed"):
        setup.install(options)
    setup.cancel()
    assert ended(setup, 20) is Phase.CANCELLED
    child = int(note.read_text())
    deadline = time.monotonic() + 10
    while alive(child) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert not alive(child)


def alive(pid: int) -> bool:
    """Whether a process runs; a dead one that nobody has asked about does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_program_that_is_not_there_is_an_error(
    setup: Setup, options: SetupOptions, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(plan, "plan", only(Step("Making", ((("/no/such/python",),),), 1.0)))
    setup.install(options)
    assert ended(setup) is Phase.FAILED
    assert setup.state.error is not None
    assert setup.state.error.code == "setup_failed"


def test_removing_leaves_files_of_others_alone(setup: Setup, tmp_path: Path) -> None:
    folder = tmp_path / "backend"
    (folder / "python").mkdir(parents=True)
    (folder / "mine.txt").write_text("keep")
    setup.remove(folder)
    assert ended(setup) is Phase.IDLE
    assert [path.name for path in folder.iterdir()] == ["mine.txt"]


def test_environment_whose_python_has_gone_does_not_count_as_installed(tmp_path: Path) -> None:
    record = {"wheel": "w", "wheel_sha": "", "variant": "none", "base_python": "p", "size_bytes": 1}
    (tmp_path / run.RECORD).write_text(json.dumps(record))
    assert installed_backend(tmp_path) is None
    python = plan.environment_python(tmp_path)
    python.parent.mkdir(parents=True)
    python.symlink_to(tmp_path / "removed blender")
    assert installed_backend(tmp_path) is None
    python.unlink()
    python.write_text("")
    assert installed_backend(tmp_path) is not None
