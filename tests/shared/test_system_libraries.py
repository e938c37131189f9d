"""Missing libraries of the system are named, with the command of the distribution that brings them."""

from __future__ import annotations

import pytest

from shared.system_libraries import (
    INSTALL_LIBRARIES,
    MANAGERS,
    install_command,
    install_hint,
    listed,
    missing_libraries,
)

ALL = [library.name for library in INSTALL_LIBRARIES]


def only_gl(name: str) -> object:
    if name != "libGL.so.1":
        raise OSError(f"{name}: cannot open shared object file")
    return object()


def test_libraries_that_cannot_be_loaded_are_named() -> None:
    assert missing_libraries(INSTALL_LIBRARIES, only_gl, "linux") == ("libEGL.so.1", "libGLESv2.so.2")


def test_systems_that_bring_them_along_are_not_asked() -> None:
    assert missing_libraries(INSTALL_LIBRARIES, only_gl, "win32") == ()
    assert missing_libraries(INSTALL_LIBRARIES, only_gl, "darwin") == ()


@pytest.mark.parametrize(
    ("release", "command"),
    [
        ('PRETTY_NAME="Debian GNU/Linux 12"\nID=debian\n', "sudo apt install libegl1 libgles2 libgl1"),
        ('ID=ubuntu\nID_LIKE=debian\nVERSION_ID="24.04"\n', "sudo apt install libegl1 libgles2 libgl1"),
        ('ID=linuxmint\nID_LIKE="ubuntu debian"\n', "sudo apt install libegl1 libgles2 libgl1"),
        ("ID=fedora\n", "sudo dnf install libglvnd-egl libglvnd-gles libglvnd-glx"),
        ('ID="rocky"\nID_LIKE="rhel centos fedora"\n', "sudo dnf install libglvnd-egl libglvnd-gles libglvnd-glx"),
        ("ID=arch\n", "sudo pacman -S libglvnd"),
        ("# a comment = none\nID=manjaro\nID_LIKE=arch\n", "sudo pacman -S libglvnd"),
        ('ID="opensuse-tumbleweed"\nID_LIKE="opensuse suse"\n', "sudo zypper install libglvnd"),
    ],
)
def test_command_is_the_one_of_the_distribution(release: str, command: str) -> None:
    assert install_command(ALL, release) == command
    assert command in install_hint(ALL, release)


def test_command_installs_only_what_is_missing() -> None:
    assert install_command(["libGLESv2.so.2"], "ID=debian\n") == "sudo apt install libgles2"


@pytest.mark.parametrize("release", ["", "ID=gentoo\n", "nonsense"])
def test_unknown_distribution_is_told_the_commands_of_the_known_ones(release: str) -> None:
    assert install_command(ALL, release) == ""
    hint = install_hint(ALL, release)
    for call, home, _ in MANAGERS.values():
        assert call in hint
        assert home in hint


def test_every_library_has_a_package_for_every_manager() -> None:
    for library in INSTALL_LIBRARIES:
        assert set(library.packages) == set(MANAGERS), library.name


def test_names_are_joined_as_a_sentence_has_them() -> None:
    assert [listed(ALL[:n]) for n in (0, 1, 2, 3)] == [
        "",
        "libEGL.so.1",
        "libEGL.so.1 and libGLESv2.so.2",
        "libEGL.so.1, libGLESv2.so.2 and libGL.so.1",
    ]
