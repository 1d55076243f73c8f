"""Which host a program looked for in vain, and how little of it may leave a run on hidden data."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.sandbox.attempted_hosts import KNOWN_HOSTS, attempted_hosts, host_to_tell

# What the usual programs print when there is no network.
WORDS = {
    "requests": (
        "requests.exceptions.ConnectionError: (MaxRetryError(\"HTTPSConnectionPool(host='huggingface.co', port=443): "
        'Max retries exceeded with url: /api/models/x (Caused by NameResolutionError("<urllib3.connection.'
        "HTTPSConnection object at 0x7f>: Failed to resolve 'huggingface.co' ([Errno -3] Temporary failure in name "
        "resolution)\"))\"), '(Request ID: 1)')",
        "huggingface.co",
    ),
    "transformers": (
        "OSError: We couldn't connect to 'https://huggingface.co' to load the files, and found none in the cache.",
        "huggingface.co",
    ),
    "hub offline": (
        "Cannot reach https://huggingface.co/api/models/x: offline mode is enabled. To disable it, please unset the "
        "`HF_HUB_OFFLINE` environment variable.",
        "huggingface.co",
    ),
    "a large file": ("Failed to resolve 'cdn-lfs-us-1.huggingface.co' in name resolution", "huggingface.co"),
    "torch.hub": (
        'Downloading: "https://download.pytorch.org/models/resnet18.pth" to /tmp/x\n'
        "urllib.error.URLError: <urlopen error [Errno -3] Temporary failure in name resolution>",
        "pytorch.org",
    ),
    "urllib alone": ("<urlopen error [Errno -2] Name or service not known>", "a host"),
    "socket": ("socket.gaierror: [Errno -3] Temporary failure in name resolution", "a host"),
    "curl": ("curl: (6) Could not resolve host: example.org", "a host"),
    "wget": ("wget: unable to resolve host address 'modelscope.cn'", "modelscope.cn"),
    "git": ("fatal: unable to access 'https://github.com/a/b.git/': Could not resolve host: github.com", "github.com"),
    "node": ("Error: getaddrinfo ENOTFOUND hf-mirror.com", "hf-mirror.com"),
    "go": ("dial tcp: lookup storage.googleapis.com on 127.0.0.1:53: connection refused", "googleapis.com"),
    "aiohttp": ("Cannot connect to host openslr.org:443 ssl:default [Name or service not known]", "openslr.org"),
    "an address": ("OSError: [Errno 101] Network is unreachable", "a host"),
}


@pytest.mark.parametrize("program", WORDS)
def test_the_usual_words_are_understood(program: str, tmp_path: Path) -> None:
    said, wanted = WORDS[program]
    log = tmp_path / "log"
    log.write_text(f"loading the model\n{said}\n")
    hosts, failed = attempted_hosts(log)
    assert failed
    assert host_to_tell(hosts) == wanted


def test_a_log_without_a_failure_says_nothing(tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.write_text("see https://huggingface.co/docs\nconnecting the dots\nresolution 1920x1080\n")
    assert attempted_hosts(log) == ((), False)


@pytest.mark.parametrize(
    "host",
    [
        "the-user-is-sad.example.org",
        "sad.huggingface.co.evil.org",
        "nothuggingface.co",
        "huggingface.co.sad",
        "x" * 64 + ".org",
        "a." * 60 + "org",
        "-sad.org",
        "我很难过.cn",
        "\x1b[31mhuggingface.co\x1b[0m.sad.org",
    ],
)
def test_a_made_up_host_tells_nothing(host: str, tmp_path: Path) -> None:
    """A program that has read hidden labels could write them as the name of a host."""
    log = tmp_path / "log"
    log.write_text(f"curl: (6) Could not resolve host: {host}\n", "utf-8")
    hosts, failed = attempted_hosts(log)
    assert failed
    assert host_to_tell(hosts) in ("a host", *KNOWN_HOSTS)
    assert "sad" not in host_to_tell(hosts)
    for each in hosts:
        assert each.isascii() and each.isprintable() and len(each) <= 100


def test_a_label_below_a_known_host_is_not_told() -> None:
    assert host_to_tell(("sad-0001.huggingface.co",)) == "huggingface.co"
    assert host_to_tell(("sad.example.org", "github.com")) == "github.com"
    assert host_to_tell(()) == "a host"


def test_a_huge_line_costs_little(tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.write_text("name resolution " + "resolve a.b " * 400_000)
    assert attempted_hosts(log)[1]
