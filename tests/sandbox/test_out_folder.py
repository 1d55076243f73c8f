"""Where `humdial run` puts results: nothing of somebody else's is deleted, and two runs never share a folder."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.errors import UsageError
from harness.evaluation.run import prepared_out


def test_results_of_an_earlier_run_are_replaced(tmp_path: Path) -> None:
    (tmp_path / "submission" / "zh").mkdir(parents=True)
    (tmp_path / "run.json").write_text("{}")
    (tmp_path / ".work").mkdir()
    with prepared_out(tmp_path):
        assert [entry.name for entry in tmp_path.iterdir()] == [".work"]


def test_a_submission_that_no_run_made_is_kept(tmp_path: Path) -> None:
    precious = tmp_path / "submission" / "zh" / "task2.jsonl"
    precious.parent.mkdir(parents=True)
    precious.write_text("mine")
    with pytest.raises(UsageError, match="no run made"), prepared_out(tmp_path):
        pass
    assert precious.read_text() == "mine"


def test_a_link_in_the_place_of_results_is_removed_and_not_followed(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "file").touch()
    out = tmp_path / "out"
    out.mkdir()
    (out / "run.json").touch()
    (out / "submission").symlink_to(tmp_path / "elsewhere")
    with prepared_out(out):
        assert list(out.iterdir()) == []
    assert (tmp_path / "elsewhere" / "file").exists()


def test_a_second_run_in_the_same_folder_is_refused_until_the_first_ends(tmp_path: Path) -> None:
    with prepared_out(tmp_path / "out"):
        (tmp_path / "out" / "run.json").touch()
        with pytest.raises(UsageError, match="in use"), prepared_out(tmp_path / "out"):
            pass
        assert (tmp_path / "out" / "run.json").exists()
    with prepared_out(tmp_path / "out"):
        pass


@pytest.mark.parametrize("name", ["file", "file/below", "x" * 300])
def test_a_place_that_cannot_be_had_is_the_callers_fault(tmp_path: Path, name: str) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(UsageError) as caught, prepared_out(tmp_path / name):
        pass
    assert caught.value.code == "E_USAGE"
