"""`humdial challenge show|check` from outside."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

INVENTED = Path(__file__).resolve().parents[1] / "data" / "invented.toml"


def humdial(*arguments: object, code: int = 0) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(
        [sys.executable, "-m", "harness", "challenge", *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == code, done.stderr
    assert "Traceback" not in done.stderr
    return done


def test_show_as_json_has_the_id_the_digest_and_exact_weights() -> None:
    plain = json.loads(humdial("show", "-f", "json").stdout)
    assert plain["id"] == "humdial-2026"
    assert plain["digest"].startswith("sha256:")
    assert plain["tracks"]["track1"]["terms"]["task4.vocal_empathy_congruence"] == "1/4"
    assert list(plain["tasks"]) == [*(f"task{number}" for number in range(1, 6)), "behaviour", "naturalness"]


def test_show_as_text_names_every_dimension_and_its_scale() -> None:
    text = humdial("show", INVENTED).stdout
    for words in ("tea-house-1", "scale 0/10", "warmth (text)", "pace (audio)", "3/7·greeting", "1/6·sw"):
        assert words in text


def test_both_ways_to_name_a_spec_and_an_output_file(tmp_path: Path) -> None:
    assert humdial("check", INVENTED).stdout == humdial("check", "--challenge", INVENTED).stdout
    assert humdial("check", "-f", "json", "-o", tmp_path / "out.json").stdout == ""
    assert json.loads((tmp_path / "out.json").read_text("utf-8"))["valid"] is True


def test_a_digest_is_of_the_meaning_not_of_the_spelling(tmp_path: Path) -> None:
    text = INVENTED.read_text("utf-8")
    same, other = tmp_path / "same.toml", tmp_path / "other.toml"
    same.write_text("# another comment\n" + text.replace("max_attempts = 1", "max_attempts =    1"), "utf-8")
    other.write_text(text.replace("max_attempts = 1", "max_attempts = 2"), "utf-8")
    digests = [json.loads(humdial("show", p, "-f", "json").stdout)["digest"] for p in (INVENTED, same, other)]
    assert digests[0] == digests[1] != digests[2]


def test_check_says_everything_that_is_wrong_and_exits_2(tmp_path: Path) -> None:
    bad = tmp_path / "bad.toml"
    text = INVENTED.read_text("utf-8")
    bad.write_text(text.replace('"3/7"', '"2/7"').replace('"story.pace" =', '"story.speed" ='), "utf-8")
    done = humdial("check", bad, code=2)
    assert "E_CONFIG" in done.stderr
    assert "story.speed" in done.stderr and "add up to 1" in done.stderr
    assert done.stdout == ""


def test_negative_weights_and_unknown_specs_are_refused(tmp_path: Path) -> None:
    bad = tmp_path / "bad.toml"
    bad.write_text(INVENTED.read_text("utf-8").replace('"3/7"', '"-3/7"'), "utf-8")
    assert "E_CONFIG" in humdial("check", bad, code=2).stderr
    assert "E_CONFIG" in humdial("show", "no-such-challenge", code=2).stderr
