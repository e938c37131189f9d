"""Why a step of an installation failed, read out of its output and put into words for an artist."""

from __future__ import annotations

import re
import signal
from collections.abc import Sequence

from .._shared import RelightifyError

# A proxy and a certificate that fail are told inside of sentences about connections, so they are looked for first.
CERTIFICATE = (
    r"CERTIFICATE_VERIFY_FAILED|SSLCertVerificationError|certificate verify failed|invalid peer certificate"
    r"|unable to get local issuer|self[- ]signed certificate|SSLError"
)
PROXY_LOGIN = r"407 Proxy Authentication|Proxy Authentication Required|proxy authorization required"
PROXY = r"ProxyError|Cannot connect to proxy|Tunnel connection failed|tunnel error|unsuccessful tunnel"
NO_ANSWER = (
    r"NewConnectionError|NameResolutionError|name resolution|getaddrinfo|Max retries|ConnectTimeout|ReadTimeout"
    r"|Read timed out|Connection reset|RemoteDisconnected|dns error|client error \(Connect\)|error sending request"
    r"|cannot be downloaded"
)
# What Windows calls an access violation, a stack overflow, an illegal instruction, and a library that is not there.
WINDOWS_CRASHES = {
    0xC0000005: "access violation",
    0xC00000FD: "stack overflow",
    0xC000001D: "illegal instruction",
    0xC0000135: "a library is missing",
    0xC0000409: "stack damaged",
}
# What a crash adds below the last words of a program: Python's traceback of it, and our note of how it ended.
_ADDED = re.compile(
    r"^(Fatal Python error|Current thread|Thread 0x|Extension modules|  File \"|  \.\.\.|\(.* ended with )"
)


def explain_failure(step: str, lines: Sequence[str], hint: str, code: int = 1) -> RelightifyError:
    """Why a step failed.

    Args:
        step: what was being done.
        lines: the end of its output.
        hint: what helps most often with this step.
        code: exit status of the program that failed; under zero it is the number of the signal that ended it.
    """
    crash = crash_name(code)
    if crash:
        return RelightifyError(
            "setup_failed",
            f"{step} failed: the program crashed ({crash}); its last words: {last_words(lines)}",
            "The log has all of them. Update the graphics driver, or name another Python under Advanced.",
        )
    text = "\n".join(lines)
    network = _network_failure(step, text, hint)
    if network is not None:
        return network
    if re.search(r"No space left on device|Errno 28|not enough space on the disk|WinError 112", text):
        return RelightifyError("disk_full", "The disk is full.", "Free some space and try again.")
    missing = re.search(r"No matching distribution found for (\S+)", text)
    if missing is not None:
        return RelightifyError(
            "no_package",
            f"{step} failed: {missing[1]} is not to be had for this computer.",
            hint or "Choose another Python (3.11 is best) under Advanced, then try again.",
        )
    if re.search(r"Permission denied|Errno 13|Access is denied", text):
        return RelightifyError(
            "cache_unwritable", f"{step} failed: a file cannot be written.", "Check the folder's permissions."
        )
    absent = re.search(r"^\[missing *\] (.*)$", text, re.MULTILINE)
    if absent is not None:
        return RelightifyError("setup_failed", f"Something is missing: {absent[1].strip()}", "Try again; see the log.")
    return RelightifyError("setup_failed", f"{step} failed: {last_words(lines)}", hint or "The log below says more.")


def _network_failure(step: str, text: str, hint: str) -> RelightifyError | None:
    """What is wrong with the network, None where it is not the network."""
    if re.search(CERTIFICATE, text, re.IGNORECASE):
        return RelightifyError(
            "no_network",
            f"{step} failed: the connection is encrypted with a certificate that this computer does not trust.",
            "Check the computer's clock. In a company, ask for its certificate as a file, and start Blender with the "
            "variables PIP_CERT and SSL_CERT_FILE naming it.",
        )
    if re.search(PROXY_LOGIN, text, re.IGNORECASE):
        return RelightifyError(
            "no_network",
            f"{step} failed: the proxy of this network wants a name and a password.",
            "Ask whoever runs the network, and start Blender with both in the variable HTTPS_PROXY.",
        )
    if re.search(PROXY, text, re.IGNORECASE):
        return RelightifyError(
            "no_network",
            f"{step} failed: the proxy of this network could not be reached or lets nothing through.",
            "Check the variable HTTPS_PROXY and the system's proxy settings, or ask whoever runs the network.",
        )
    if re.search(NO_ANSWER, text, re.IGNORECASE):
        return RelightifyError(
            "no_network",
            f"{step} failed: a server could not be reached.",
            hint or "Check the internet connection, then try again; what was downloaded is kept.",
        )
    return None


def crash_name(code: int) -> str:
    """The name of the crash that ended a program, empty where it ended by itself.

    Args:
        code: exit status as `subprocess` tells it: on POSIX the negative number of a signal.
    """
    if code < 0:
        try:
            return signal.Signals(-code).name
        except ValueError:
            return WINDOWS_CRASHES.get(code & 0xFFFFFFFF, f"signal {-code}")
    return WINDOWS_CRASHES.get(code, "")


def last_words(lines: Sequence[str], count: int = 3) -> str:
    """The end of some output in one line; what faulthandler and our own log add to it comes from elsewhere."""
    told = [line.strip() for line in lines if line.strip() and not _ADDED.match(line)]
    return " / ".join(told[-count:]) if told else "it said nothing"
