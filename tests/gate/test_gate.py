"""What a pull request may change, on real repositories."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from repositories import Repository

HUMDIAL = Path(sys.executable).with_name("humdial")
LFS = "version https://git-lfs.github.com/spec/v1\noid sha256:{}\nsize 64044\n"


def gate(repository: Repository, *more: str, head: str = "pull") -> subprocess.CompletedProcess[str]:
    command = [HUMDIAL, "gate", "--base", "main", "--head", head, "--repo", repository.root, *more]
    done = subprocess.run([*map(str, command)], capture_output=True, text=True, timeout=300)
    assert "Traceback" not in done.stderr
    return done


def codes(repository: Repository, *more: str) -> list[tuple[str, str | None]]:
    done = gate(repository, "-f", "json", *more)
    report: dict[str, Any] = json.loads(done.stdout)
    assert done.returncode == (0 if report["valid"] else 1)
    return [(each["code"], each["file"]) for each in report["findings"]]


def test_a_new_folder_of_ones_own_passes(repository: Repository) -> None:
    repository.write({"submissions/alpha/2/zh/task2.jsonl": "{}\n"})
    repository.commit()
    assert codes(repository, "--teams", "teams.json", "--author", "Alice") == []


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ("submissions/alpha/1/zh/task2.jsonl", "E_GATE_EARLIER"),
        ("submissions/alpha/1/zh/new.jsonl", "E_GATE_EARLIER"),
        ("schemas/submission/v1.schema.json", "E_GATE_PATH"),
        (".github/workflows/check.yml", "E_GATE_PATH"),
        (".github/workflows/new.yml", "E_GATE_PATH"),
        ("submissions/alpha/loose.txt", "E_GATE_PATH"),
        ("submissions/Alpha/1/zh/task2.jsonl", "E_GATE_PATH"),
        ("submissions/beta/2/zh/task2.jsonl", "E_GATE_TEAM"),
        ("teams.json", "E_GATE_PATH"),
    ],
)
def test_everything_else_is_refused(repository: Repository, changed: str, code: str) -> None:
    repository.write({changed: '{"beta": ["alice"]}\n', "submissions/alpha/2/zh/task2.jsonl": "{}\n"})
    repository.commit()
    assert codes(repository, "--teams", "teams.json", "--author", "alice") == [(code, changed)]


def test_a_deleted_and_a_renamed_submission_are_edits_of_an_earlier_one(repository: Repository) -> None:
    repository.git("mv", "submissions/alpha/1", "submissions/alpha/2")
    repository.commit()
    assert codes(repository) == [("E_GATE_EARLIER", "submissions/alpha/1/zh/task2.jsonl")]


def test_without_a_list_a_change_is_of_one_team(repository: Repository) -> None:
    repository.write({"submissions/alpha/2/a.jsonl": "{}\n", "submissions/beta/2/a.jsonl": "{}\n"})
    repository.commit()
    assert codes(repository) == [("E_GATE_TEAM", "submissions/beta/2/a.jsonl")]


def test_links_submodules_and_pointers_are_refused(repository: Repository) -> None:
    inside = repository.root / "submissions" / "alpha" / "2"
    repository.write({"submissions/alpha/2/reply.wav": LFS.format("0" * 64), "submissions/alpha/3/fine.jsonl": "{}\n"})
    (inside / "link").symlink_to("/etc/passwd")
    repository.git("add", "-A")
    head = repository.git("rev-parse", "HEAD")
    repository.git("update-index", "--add", "--cacheinfo", f"160000,{head},submissions/alpha/2/module")
    repository.git("commit", "-q", "-m", "a step")
    assert codes(repository) == [
        ("E_GATE_TYPE", "submissions/alpha/2/link"),
        ("E_GATE_TYPE", "submissions/alpha/2/module"),
        ("E_GATE_LFS", "submissions/alpha/2/reply.wav"),
    ]


def test_a_thousand_files_are_all_seen(repository: Repository, tmp_path: Path, monkeypatch: Any) -> None:
    """The forge's own list of changes ends at 300 files; the fault is the last one here."""
    output = tmp_path / "output"
    monkeypatch.setenv("GITHUB_OUTPUT", str(output))
    repository.write({f"submissions/alpha/2/zh/task4/{number:04}.txt": f"{number}" for number in range(1000)})
    repository.commit()
    done = gate(repository, "-f", "github")
    assert done.returncode == 0, done.stdout
    assert output.read_text("utf-8") == "folders<<humdial\nsubmissions/alpha/2\nhumdial\n"
    repository.write({"zzz.txt": "and one outside"})
    repository.commit()
    assert codes(repository) == [("E_GATE_PATH", "zzz.txt")]


def test_what_others_merged_meanwhile_is_not_the_branchs_doing(repository: Repository) -> None:
    repository.write({"submissions/alpha/2/a.jsonl": "{}\n"})
    repository.commit()
    repository.git("checkout", "-q", "main")
    repository.write({"schemas/submission/v2.schema.json": "{}\n"})
    repository.commit()
    assert codes(repository) == []
    repository.write({"submissions/alpha/2/other.jsonl": "{}\n"})  # the same number was handed in meanwhile
    repository.commit()
    assert codes(repository) == [("E_GATE_EARLIER", "submissions/alpha/2/a.jsonl")]


def test_hostile_names_stay_on_their_line(repository: Repository) -> None:
    repository.write({"submissions/alpha/2/a\n::error::b": "x", "submissions/\x1b[31m/x": "y"})
    repository.commit()
    done = gate(repository, "-f", "github")
    assert done.returncode == 1
    assert "\x1b" not in done.stdout
    assert all(line.startswith(("::error ", ".")) for line in done.stdout.splitlines())


def test_nothing_handed_in_and_revisions_that_are_not_there(repository: Repository) -> None:
    assert codes(repository) == [("E_GATE_EMPTY", None)]
    for head in ("nowhere", "--output=x", ""):
        done = gate(repository, head=head)
        assert (done.returncode, "[E_USAGE]" in done.stderr) == (2, True), done.stderr
    assert not (repository.root / "x").exists()


def test_a_folder_that_is_no_repository(tmp_path: Path) -> None:
    from harness.errors import MachineError
    from harness.gate.changes import _git

    with pytest.raises(MachineError) as caught:
        _git(tmp_path, "rev-parse", "HEAD")
    assert caught.value.code == "I_GIT"
