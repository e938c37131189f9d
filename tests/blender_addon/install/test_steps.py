"""A second try goes on where the first one failed; progress, old installers and reasons of failures on the way."""

from __future__ import annotations

import io
import sys
import threading
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from blender_addon.install import steps as carrying
from blender_addon.install.done_steps import DoneSteps, done_count, forget, recall, remember, step_keys
from blender_addon.install.plan import RAW_PROGRESS, Command, Step
from blender_addon.install.steps import Workshop, carry_out, tells_progress
from shared.errors import RelightifyError

NO_PACKAGE = "ERROR: No matching distribution found for torch"
CERTIFICATE = "SSLCertVerificationError"


class Programs:
    """Stands for the programs that the steps run: says what they say, and remembers which were run."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.ran: list[Command] = []
        self.fails: dict[str, str] = {}
        monkeypatch.setattr(carrying, "run_command", self._run)

    def _run(self, command: Command, folder: Path, variables: object, stop: object, take) -> int:
        self.ran.append(command)
        last = self.fails.get(command[-1])
        if last is not None:
            take(last)
        return 0 if last is None else 1

    def names(self) -> list[str]:
        ran = [command[-1] for command in self.ran]
        self.ran.clear()
        return ran


@pytest.fixture
def programs(monkeypatch: pytest.MonkeyPatch) -> Programs:
    return Programs(monkeypatch)


@pytest.fixture
def shop(tmp_path: Path) -> Workshop:
    return Workshop(tmp_path, {}, io.StringIO(), threading.Event(), lambda *shown: None, lambda line: None)


def step(name: str, *others: str, checks: bool = False) -> Step:
    return Step(f"Doing {name}", tuple((("python", other),) for other in (name, *others)), 0.25, checks=checks)


STEPS = (step("one"), step("two"), step("three"), step("look", checks=True))


def failing(steps: Sequence[Step], shop: Workshop) -> RelightifyError:
    with pytest.raises(RelightifyError) as caught:
        carry_out(steps, "3.11", shop)
    return caught.value


def test_second_try_goes_on_with_the_step_that_failed(programs: Programs, shop: Workshop) -> None:
    programs.fails["two"] = "no room"
    failing(STEPS, shop)
    assert programs.names() == ["one", "two"]
    programs.fails.clear()
    carry_out(STEPS, "3.11", shop)
    assert programs.names() == ["two", "three", "look"]
    assert "Doing one: done already" in shop.log.getvalue()  # type: ignore[attr-defined]


def test_bar_of_a_second_try_starts_where_the_first_one_ended(programs: Programs, shop: Workshop) -> None:
    programs.fails["three"] = "no room"
    failing(STEPS, shop)
    programs.fails.clear()
    shown: list[float] = []
    carry_out(STEPS, "3.11", replace(shop, show=lambda text, progress, fraction: shown.append(fraction)))
    assert shown[0] == pytest.approx(0.5)


def test_other_content_of_a_step_that_is_done_begins_anew(programs: Programs, shop: Workshop, tmp_path: Path) -> None:
    """A build of PyTorch for another card has the same version, and pip would leave it."""
    wheel = tmp_path / "wheel"
    wheel.write_bytes(b"one")
    steps = (STEPS[0], replace(STEPS[1], inputs=(wheel,)), STEPS[2])
    programs.fails["three"] = "no room"
    failing(steps, shop)
    programs.names()
    failing(steps, shop)
    assert programs.names() == ["three"]
    wheel.write_bytes(b"two")
    failing(steps, shop)
    assert programs.names() == ["one", "two", "three"]
    other_build = (STEPS[0], step("two", "two+cuda"), STEPS[2])
    failing(other_build, shop)
    assert programs.names() == ["one", "two", "three"]
    with pytest.raises(RelightifyError):
        carry_out(other_build, "3.13", shop)
    assert programs.names() == ["one", "two", "three"], "another Python"


def test_check_that_fails_twice_has_the_steps_ahead_of_it_done_again(programs: Programs, shop: Workshop) -> None:
    programs.fails["look"] = "[missing ] embree"
    for expected in (["one", "two", "three", "look"], ["look"], ["one", "two", "three", "look"], ["look"]):
        failing(STEPS, shop)
        assert programs.names() == expected


def test_damaged_memory_is_no_memory(tmp_path: Path) -> None:
    keys = step_keys(STEPS, "3.11")
    remember(tmp_path, DoneSteps(tuple(keys[:2]), keys[2]))
    assert done_count(recall(tmp_path), keys) == 2
    for text in ("", "[]", '{"done": 3}', '{"done": ["x"], "failed": ""}'):
        (tmp_path / "steps.json").write_text(text)
        assert done_count(recall(tmp_path), keys) == 0
    forget(tmp_path)
    assert recall(tmp_path) == DoneSteps()


def test_reason_that_another_way_cannot_change_is_the_one_that_is_told(programs: Programs, shop: Workshop) -> None:
    programs.fails |= {"one": CERTIFICATE, "other": NO_PACKAGE}
    assert failing((step("one", "other"),), shop).code == "no_network"
    programs.fails |= {"one": NO_PACKAGE, "other": "something else"}
    assert failing((step("one", "other"),), shop).code == "setup_failed"


def test_old_pip_is_not_asked_for_what_it_does_not_know(
    programs: Programs, shop: Workshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It would end with "exit status 2", and hide what is wrong."""
    install = Step("Installing", ((("python", "-m", "pip", "install", *RAW_PROGRESS, "torch"),),), 1.0)
    monkeypatch.setattr(carrying, "tells_progress", lambda python: False)
    programs.fails["torch"] = CERTIFICATE
    assert failing((install,), shop).code == "no_network"
    assert programs.ran == [("python", "-m", "pip", "install", "torch")]
    monkeypatch.setattr(carrying, "tells_progress", lambda python: True)
    failing((install,), shop)
    assert programs.ran[-1] == install.attempts[0][0]


@pytest.mark.parametrize(
    ("printed", "expected"),
    [
        ("pip 24.1 from /x (python 3.11)", True),
        ("pip 26.0.1 from /x (python 3.13)", True),
        ("pip 24.0 from /x (python 3.11)", False),
        ("pip 23.2.1 from /x (python 3.11)", False),
        ("nonsense", False),
        (None, False),
    ],
)
def test_pip_tells_its_progress_from_a_version_on(printed: str | None, expected: bool) -> None:
    assert tells_progress("python", lambda command: printed) is expected


def test_version_of_this_pip_is_read() -> None:
    pip = pytest.importorskip("pip")
    known = tuple(int(part) for part in pip.__version__.split(".")[:2]) >= (24, 1)
    assert tells_progress(sys.executable) is known
