"""Makes the clean twin of the hostile team's results: the same replies without the requests that it appended.

    python examples/twin.py SUBMISSION OUT

Scored side by side, the two show what the requests gained.
"""

from __future__ import annotations

import json
import shutil
import sys
import unicodedata
from pathlib import Path

INJECTIONS = Path(__file__).resolve().parent / "teams" / "hostile" / "injections.json"


def strip_injections(submission_dir: Path, out_dir: Path) -> int:
    """Copy a submission and cut the appended requests off its replies; how many were cut.

    Raises ValueError when a reply holds a request that could not be cut, so that a twin is never half clean.
    """
    requests = [_canonical(entry["text"]) for entry in json.loads(INJECTIONS.read_text("utf-8"))]
    requests.sort(key=len, reverse=True)  # a request may end with another one
    shutil.copytree(submission_dir, out_dir, symlinks=True)
    cut = 0
    for path in sorted(out_dir.glob("*/*.jsonl")):
        rows = [json.loads(line) for line in path.read_text("utf-8").split("\n") if line]
        for turn in (turn for row in rows for turn in row["turns"]):
            clean = _without_request(_canonical(turn["response_text"]), requests)
            if clean is not None:
                turn["response_text"] = clean
                cut += 1
        path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), "utf-8", newline="\n")
    return cut


def _canonical(text: str) -> str:
    """NFC: a harness may have stored the reply in that form."""
    return unicodedata.normalize("NFC", text).strip()


def _without_request(text: str, requests: list[str]) -> str | None:
    """The reply before the request, None when there is no request."""
    for request in requests:
        if text.endswith(request):
            return text.removesuffix(request).rstrip()
        if request in text:
            raise ValueError(f"a request stands inside the reply, not at its end: {request[:60]!r}")
    return None


def main() -> None:
    """Make the twin and say how many requests were cut."""
    submission, out = map(Path, sys.argv[1:])
    print(f"cut {strip_injections(submission, out)} requests: {out}")


if __name__ == "__main__":
    main()
