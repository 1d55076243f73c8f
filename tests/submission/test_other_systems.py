"""`humdial validate` where the system has less (Windows, macOS) and where consoles and locales are no UTF-8."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import made
import pytest

POOR = {"PYTHONPATH": str(Path(__file__).parent / "without")}


def validate(*arguments: str | Path, **environment: str) -> subprocess.CompletedProcess[bytes]:
    done = subprocess.run(
        [sys.executable, "-m", "harness", "validate", *map(str, arguments)],
        capture_output=True,
        env={**os.environ, **environment},
        timeout=600,
    )
    assert done.returncode in (0, 1), done.stderr.decode("utf-8", "replace")
    return done


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A sound submission, one with faults and links, and both as archives, below a folder with a Chinese name."""
    root = tmp_path_factory.mktemp("systems") / "提交"
    made.write(root / "sound", made.submission())
    faulty = made.write(root / "faulty", made.submission())
    (faulty / "zh" / "链接").symlink_to(faulty / "zh" / "task2.jsonl")
    (faulty / "en" / "elsewhere").symlink_to(root / "sound")
    (faulty / "en" / "task2.jsonl").write_bytes(
        b'{"dialogue_id": "\xe4\xbd\xa0\xe5\xa5\xbd", "turns": []}\n{"a": NaN}\n'
    )
    (faulty / "system_description.pdf").write_bytes(b"%PDF-1.4\nbroken")
    (root / "sound.zip").write_bytes(made.zipped(made.submission()))
    (root / "sound.tar.gz").write_bytes(made.tarred(made.submission(), mode="w:gz"))
    (root / "bomb.zip").write_bytes(made.zipped({"zh/task2.jsonl": b"0" * 200_000_000}))
    return root


def test_a_poorer_system_reports_the_same_bytes(folders: Path) -> None:
    paths = [folders / name for name in ("faulty", "sound.zip", "sound.tar.gz", "bomb.zip")]
    here = validate(*paths, "-f", "json")
    there = validate(*paths, "-f", "json", "-o", folders / "there.json", **POOR)
    assert (folders / "there.json").read_bytes() == here.stdout
    assert (there.returncode, there.stderr) == (here.returncode, here.stderr)
    found = [{finding["code"] for finding in report["findings"]} for report in json.loads(here.stdout)]
    assert found[0] >= {"E_LAYOUT_TYPE", "E_JSON_NUM", "E_PDF_BROKEN"}
    assert found[1:] == [set(), set(), {"E_ARC_BOMB"}]


def test_the_poorer_system_is_one(folders: Path) -> None:
    program = (
        "import os, harness.system as system;"
        "assert not system.FOLDERS_BY_DESCRIPTOR and not system.PASSES_DESCRIPTORS and not system.NOFOLLOW;"
        "assert system.signals('SIGKILL', 'SIGTERM') == (15,) and not hasattr(os, 'pread')"
    )
    subprocess.run([sys.executable, "-c", program], check=True, env={**os.environ, **POOR}, timeout=600)


def test_without_descriptors_a_file_that_was_swapped_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from harness import system
    from harness.challenge.load import load_challenge
    from harness.submission.readers.refusal import Refusal
    from harness.submission.readers.tree import scan

    monkeypatch.setattr(system, "FOLDERS_BY_DESCRIPTOR", False)
    folder = tmp_path / "team"
    made.write(folder, {"zh/task2.jsonl": b"{}\n", "en/task2.jsonl": b"{}\n"})
    (tmp_path / "secret").write_text("gold")
    tree = scan(folder, load_challenge().read_limits)
    (folder / "zh" / "task2.jsonl").unlink()
    (folder / "zh" / "task2.jsonl").symlink_to(tmp_path / "secret")
    (folder / "en").rename(folder / "was-en")
    (folder / "en").symlink_to(folder / "was-en")
    for path in ("zh/task2.jsonl", "en/task2.jsonl"):
        with pytest.raises(Refusal) as refused:
            tree.read(path)
        assert refused.value.code in ("E_CHANGED", "E_LAYOUT_TYPE")


def test_results_are_utf8_whatever_the_console_says(folders: Path) -> None:
    usual = validate(folders / "faulty", PYTHONUTF8="1").stdout
    assert "链接" in usual.decode("utf-8")
    assert "提交" in usual.decode("utf-8")
    for environment in (
        {"PYTHONIOENCODING": "cp1252", "PYTHONUTF8": "0"},
        {"PYTHONIOENCODING": "gbk", "PYTHONUTF8": "0"},
        {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
    ):
        assert validate(folders / "faulty", **environment).stdout == usual, environment


def test_nothing_is_read_or_written_in_the_locale_s_encoding(folders: Path) -> None:
    program = "import runpy, sys; sys.argv[0] = 'humdial'; runpy.run_module('harness', run_name='__main__')"
    strict = [sys.executable, "-X", "warn_default_encoding", "-W", "error::EncodingWarning", "-c", program]
    for name in ("sound", "sound.zip"):
        done = subprocess.run(
            [*strict, "validate", str(folders / name), "-f", "text"], capture_output=True, timeout=600
        )
        assert done.returncode == 0, done.stderr.decode()
