"""Failures of an installation are said in words."""

from __future__ import annotations

import pytest

from blender_addon.install.failure import crash_name, explain_failure


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ("ERROR: Could not install packages due to an OSError: [Errno 28] No space left on device", "disk_full"),
        ("WARNING: Retrying (Retry(total=0)) after connection broken by 'NewConnectionError(...)'", "no_network"),
        ("  cause: dns error", "no_network"),
        ("relightify: error: The face landmark model cannot be downloaded (...)", "no_network"),
        ("ssl.SSLCertVerificationError: [SSL: CERTIFICATE_VERIFY_FAILED] self signed", "no_network"),
        ("ERROR: No matching distribution found for embreex>=4.4", "no_package"),
        ("PermissionError: [Errno 13] Permission denied: '/x'", "cache_unwritable"),
        ("[missing ] torch  not there", "setup_failed"),
        ("something else", "setup_failed"),
    ],
)
def test_failures_are_said_in_words_with_a_hint(line: str, code: str) -> None:
    error = explain_failure("Installing PyTorch", ["before", line], "")
    assert error.code == code
    assert error.message.endswith((".", "else", "there"))
    assert error.hint


def test_failure_names_the_step_and_the_package() -> None:
    error = explain_failure("Installing the backend", ["ERROR: No matching distribution found for embreex>=4.4"], "")
    assert "Installing the backend failed" in error.message
    assert "embreex" in error.message


RETRIES = "WARNING: Retrying (Retry(total=0, connect=None)) after connection broken by"
MAX = (
    "ERROR: Could not install packages due to an OSError: HTTPSConnectionPool(host='x', port=443): Max retries exceeded"
)


@pytest.mark.parametrize(
    ("line", "words"),
    [
        (f"{RETRIES} 'SSLError(SSLCertVerificationError(1, '[SSL: CERTIFICATE_VERIFY_FAILED] self-signed'))'", "trust"),
        (f"{MAX} (Caused by SSLError(SSLCertVerificationError(1, 'unable to get local issuer')))", "trust"),
        ("  cause: invalid peer certificate: UnknownIssuer", "trust"),
        (f"{RETRIES} 'ProxyError(OSError('Tunnel connection failed: 407 Proxy Authentication Required'))'", "password"),
        ("  cause: tunnel error: proxy authorization required", "password"),
        (f"{MAX} (Caused by ProxyError('Cannot connect to proxy.', NewConnectionError('refused')))", "proxy"),
        ("  cause: tunnel error: unsuccessful", "proxy"),
        (f"{MAX} (Caused by NameResolutionError('Failed to resolve'))", "could not be reached"),
        ("pip._vendor.urllib3.exceptions.ReadTimeoutError: Read timed out.", "could not be reached"),
        ("  Caused by: error sending request for url", "could not be reached"),
    ],
)
def test_certificates_and_proxies_are_named_although_pip_speaks_of_connections(line: str, words: str) -> None:
    after_it = ["ERROR: Could not find a version that satisfies", "ERROR: No matching distribution found for pip>=24.1"]
    error = explain_failure("Installing PyTorch", [line, *after_it], "")
    assert error.code == "no_network"
    assert words in error.message
    assert error.hint


def test_native_crash_is_named_with_the_last_words_of_the_program() -> None:
    lines = [
        "[   ok   ] python",
        "F0000 gl_context.cc:12] Check failed: display != nullptr",
        "Fatal Python error: Aborted",
        "Current thread 0x0000 (most recent call first):",
        '  File "/x/face_detector.py", line 120 in __init__',
        "(python ended with exit status -6)",
    ]
    error = explain_failure("Trying it out", lines, "", -6)
    assert error.code == "setup_failed"
    assert "SIGABRT" in error.message
    assert error.message.endswith("Check failed: display != nullptr")


def test_crash_is_told_from_an_end_with_an_error() -> None:
    assert [crash_name(code) for code in (0, 1, 2, 5)] == [""] * 4
    assert crash_name(-11) == "SIGSEGV"
    assert crash_name(0xC0000005) == "access violation"
    assert crash_name(-1073741819) == "access violation"
