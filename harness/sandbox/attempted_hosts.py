"""Which hosts a program without a network says it tried to reach, read from its log. Pure but for reading the file.

The log is the team's own text, and on hidden data it may be about the data. So two answers: all names, for runs on
data that the team has anyway, and the one name that may leave a run on hidden data, which comes from a list of ours.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

_SHOWN = 5
_READ = 5 * 1024 * 1024
_LINE = 2000
_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_HOST = rf"((?:{_LABEL}\.){{1,8}}[A-Za-z]{{2,24}})(?![A-Za-z0-9-])"
_LONGEST = 100
# Words that stand near a host's name when a look-up or a connection failed, in the usual libraries.
_PATTERNS = (
    re.compile(rf"host=['\"]{_HOST}['\"]"),
    re.compile(
        r"(?:resolve|resolving|reach|connect(?:ing)? to|lookup|download(?:ing)?|ENOTFOUND|EAI_AGAIN)"
        rf"[^\n]{{0,60}}?(?:https?://)?(?<![A-Za-z0-9._-]){_HOST}"
    ),
    re.compile(rf"https?://{_HOST}"),
)
_FAILED = re.compile(
    r"name resolution|name or service not known|getaddrinfo|network is unreachable|max retries exceeded|"
    r"could(?: not|n't) resolve|couldn't connect|cannot connect|connection error|connectionerror|no address associated|"
    r"offline mode|unable to resolve|failed to lookup|dial tcp: lookup|outgoing traffic has been disabled|"
    r"could not reach|cannot reach",
    re.IGNORECASE,
)
# Where models, data and packages usually come from. Only these may be named after a run on hidden data.
KNOWN_HOSTS = (
    "huggingface.co", "hf.co", "hf-mirror.com", "modelscope.cn", "github.com", "githubusercontent.com", "gitee.com",
    "pypi.org", "pythonhosted.org", "pytorch.org", "anaconda.org", "tsinghua.edu.cn", "aliyun.com", "aliyuncs.com",
    "debian.org", "ubuntu.com", "npmjs.org", "docker.io", "fbaipublicfiles.com", "googleapis.com", "google.com",
    "openai.com", "azureedge.net", "amazonaws.com", "wandb.ai", "zenodo.org", "openslr.org", "nvidia.com",
)  # fmt: skip


def attempted_hosts(log: Path) -> tuple[tuple[str, ...], bool]:
    """The hosts in lines near a failed look-up, at most 5, and whether any look-up failed at all."""
    try:
        with log.open("rb") as stream:
            lines = stream.read(_READ).decode("utf-8", "replace").splitlines()
    except OSError:
        return (), False
    failed = [number for number, line in enumerate(lines) if _FAILED.search(line[:_LINE])]
    near = {other for number in failed for other in range(number - 3, number + 4) if 0 <= other < len(lines)}
    hosts: dict[str, None] = {}
    for number in sorted(near):
        for pattern in _PATTERNS:
            hosts |= {found.lower(): None for found in pattern.findall(lines[number][:_LINE]) if len(found) <= _LONGEST}
    return tuple(hosts)[:_SHOWN], bool(failed)


def host_to_tell(hosts: Sequence[str]) -> str:
    """The one host that may be named whatever the data: the first of ``hosts`` that is, or lies below, a known one;
    else that it was a host. So a program can say no more through it than which of our short list it wrote."""
    for host in hosts:
        for known in KNOWN_HOSTS:
            if host == known or host.endswith("." + known):
                return known
    return "a host"
