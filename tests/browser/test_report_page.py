"""The HTML report in a real browser: it loads nothing, sorts, prints, is readable by day and night, and tells the
public nothing of a single item."""

from __future__ import annotations

import base64
import csv
import io
import json
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page
from pypdf import PdfReader

from harness.challenge.load import load_challenge

OpenPage = Callable[..., Page]
TEAMS = ["lingyun", "empath-lab", "voice-of-reason", "hearts", "thinker", "evil", "late-birds", "baseline"]


def report(evening: Path, out: Path, *more: str) -> Path:
    command = [sys.executable, "-m", "harness", "report", evening / "run", "--out", out, *more]
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return out


@pytest.fixture(scope="module")
def public(evening: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("report") / "public.html"
    return report(evening, out, "--phase", "final", "--ratings", str(evening / "ratings.csv"))


@pytest.fixture(scope="module")
def organiser(evening: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("report") / "organiser.html"
    ratings = str(evening / "ratings.csv")
    return report(evening, out, "--phase", "final", "--ratings", ratings, "--audience", "organiser")


def column(page: Any, number: int) -> list[str]:
    cells = page.locator("#track1 table.ranking tbody tr")
    return [cells.nth(i).locator("td").nth(number).inner_text() for i in range(cells.count())]


def test_the_ranking_sorts_by_any_column_and_rows_without_a_value_stay_last(public: Path, watched: OpenPage) -> None:
    page = watched(public)
    ranks = column(page, 0)
    assert [rank for rank in ranks if rank != "–"] == ["1", "2", "3", "4", "5", "6", "7"]
    head = page.locator("#track1 table.ranking th").nth(0)
    head.locator("button").click()
    assert column(page, 0) == ["1", "2", "3", "4", "5", "6", "7", "–"]
    assert head.get_attribute("aria-sort") == "ascending"
    head.locator("button").press("Enter")
    assert column(page, 0) == ["7", "6", "5", "4", "3", "2", "1", "–"]
    assert head.get_attribute("aria-sort") == "descending"
    finals = page.locator("#track1 table.ranking th").nth(4)
    finals.locator("button").click()
    values = [float(value) for value in column(page, 4)]
    assert values == sorted(values) and head.get_attribute("aria-sort") is None


@pytest.mark.parametrize("locale", ["en-US", "zh-CN", "sv-SE"])
def test_names_sort_alike_for_every_reader(public: Path, watched: OpenPage, locale: str) -> None:
    page = watched(public, locale=locale)
    page.locator("#track1 table.ranking th", has_text="team").locator("button").click()
    names = [name.split("\n")[0].removesuffix(" baseline").removesuffix(" late") for name in column(page, 3)]
    chinese = names.index("凌云语音 Lingyun")
    latin = [name for name in names if name[0].isalpha() and name[0].isascii()]
    assert latin == sorted(latin, key=str.lower) and chinese in (0, 1, len(names) - 1)


def test_intervals_groups_and_close_pairs_are_shown(public: Path, watched: OpenPage) -> None:
    page = watched(public)
    intervals = column(page, 1)
    assert any(re.fullmatch(r"\d–\d", text) for text in intervals)
    assert column(page, 2)[0] == "a"
    assert page.get_by_text("too close: the hidden set decides").count() >= 1
    dots = page.locator("#track1 figure").first
    assert dots.locator("circle").count() == len(TEAMS)
    assert dots.locator("line.whisker").count() == len(TEAMS)
    assert page.locator("#track1 rect.heat").count() >= 7
    assert page.locator("#track1 figcaption", has_text="task4 vocal empathy congruence").count() == 1
    scatter = page.locator("#track2 figure", has_text="latency")
    assert scatter.locator("circle").count() == 5


def test_every_kind_of_loss_is_counted_for_every_team(public: Path, watched: OpenPage) -> None:
    page = watched(public)
    heads = page.locator("#track1-thinker table.losses th").all_inner_texts()
    for state in ("missing", "empty", "silent", "language mismatch", "too short", "echo", "invalid", "judge failed"):
        assert state in heads
    row = page.locator("#track1-thinker table.losses tbody tr").first.locator("td").all_inner_texts()
    counts = [int(cell) for cell in row[5:]]
    assert int(row[4]) == sum(counts) == 12
    page.locator("#track1 table.ranking a", has_text="Thinker").click()
    assert page.evaluate("location.hash") == "#track1-thinker"


def test_what_a_team_calls_itself_does_nothing(public: Path, watched: OpenPage) -> None:
    page = watched(public)
    assert page.evaluate("window.pwned") is None
    shown = page.locator("#track1-evil h4 bdi").first.inner_text()
    assert shown.startswith("<script>window.pwned=1</script>\\u202e")
    assert "\u202e" not in page.content() and "\x1b" not in page.content()


def test_the_page_forbids_itself_every_other_script(public: Path, browser: Browser) -> None:
    context = browser.new_context()
    page = context.new_page()
    page.goto(public.as_uri())
    blocked = page.evaluate(
        "() => { const s = document.createElement('script'); s.textContent = 'window.pwned = 2';"
        " return new Promise(done => { document.addEventListener('securitypolicyviolation', () => done(true));"
        " setTimeout(() => done(false), 5000); document.body.append(s); }); }"
    )
    assert blocked and page.evaluate("window.pwned") is None
    context.close()


def test_by_day_and_by_night(public: Path, watched: OpenPage) -> None:
    def ink_on_paper(scheme: str) -> tuple[int, int]:
        page = watched(public, color_scheme=scheme)
        look = page.evaluate(
            "() => [getComputedStyle(document.body).color, getComputedStyle(document.body).backgroundColor]"
        )
        ink, paper = (sum(map(int, re.findall(r"\d+", colour)[:3])) for colour in look)
        label = page.evaluate("() => getComputedStyle(document.querySelector('svg text.label')).fill")
        assert abs(sum(map(int, re.findall(r"\d+", label)[:3])) - ink) < 30
        return ink, paper

    ink, paper = ink_on_paper("light")
    assert ink < 200 and paper > 700
    ink, paper = ink_on_paper("dark")
    assert ink > 600 and paper < 120


def test_it_prints_with_the_whole_table(public: Path, watched: OpenPage) -> None:
    page = watched(public, color_scheme="dark", viewport={"width": 1032, "height": 680})  # A4 landscape in its margins
    page.emulate_media(media="print")
    assert page.evaluate("document.documentElement.scrollWidth") <= 1032
    text = " ".join(sheet.extract_text() for sheet in PdfReader(io.BytesIO(page.pdf(prefer_css_page_size=True))).pages)
    for phrase in (
        "ICASSP 2026 HumDial",
        "Empath Lab",
        "Baseline",
        "the hidden set decides",
        "Methods",
        "Fingerprints",
    ):
        assert phrase in text
    board = json.loads(download(public, "leaderboard-track1.json"))
    for row in board["rows"][:3]:
        assert row["display"]["final"] in text and row["display"]["en.task4.audio_quality_naturalness"] in text


def test_on_a_telephone_nothing_but_tables_scrolls(public: Path, watched: OpenPage) -> None:
    page = watched(public, viewport={"width": 390, "height": 800})
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


def download(path: Path, name: str) -> str:
    uri = re.search(rf'download="{re.escape(name)}" href="data:[^,]*,([^"]+)"', path.read_text("utf-8"))
    assert uri is not None
    return base64.b64decode(uri[1]).decode()


def test_downloads_are_the_table(public: Path, watched: OpenPage) -> None:
    page = watched(public)
    with page.expect_download() as waiting:
        page.locator("a[download='leaderboard-track1.csv']").click()
    rows = list(csv.DictReader(io.StringIO(waiting.value.path().read_text("utf-8"))))
    assert {row["team"] for row in rows} >= set(TEAMS)
    assert not any(cell.startswith("=") for row in rows for cell in row.values())
    board = json.loads(download(public, "leaderboard-track1.json"))
    assert (board["official"], board["phase"]) == (True, "final")


def test_the_public_learn_nothing_of_a_single_item(public: Path, organiser: Path, evening: Path) -> None:
    rows = [json.loads(line) for line in (evening / "run/teams/evil-track1/scores/items.jsonl").open(encoding="utf-8")]
    dialogues = {row["dialogue_id"] for row in rows}
    page = public.read_text("utf-8")
    for text in (page, download(public, "leaderboard-track1.json"), download(public, "leaderboard-track1.csv")):
        assert not [dialogue for dialogue in dialogues if dialogue in text]
        assert "F_INJ" not in text
    flagged = {row["dialogue_id"] for row in rows if row["flags"]}
    inside = organiser.read_text("utf-8")
    assert all(dialogue in inside for dialogue in flagged) and "F_INJ" in inside
    assert "must not be published" in inside and "must not be published" not in page


def test_judge_against_raters_names_the_outlier(public: Path, organiser: Path, watched: OpenPage) -> None:
    page = watched(organiser)
    rows = page.locator("table", has_text="judge minus raters").locator("tbody tr").all_inner_texts()
    assert [row.split()[0] for row in rows if "outlier" in row] == ["evil"]
    alphas = page.locator("table", has_text="Krippendorff").locator("tbody tr").all_inner_texts()
    assert len(alphas) == 4 and all(0.3 < float(row.split("\t")[2]) < 1 for row in alphas)
    page.locator("#track1-evil summary").click()
    assert page.locator("#track1-evil details tbody tr").count() >= 2


def test_the_same_inputs_give_the_same_bytes(public: Path, evening: Path, tmp_path: Path) -> None:
    again = report(evening, tmp_path / "again.html", "--phase", "final", "--ratings", str(evening / "ratings.csv"))
    assert again.read_bytes() == public.read_bytes()
    html = [sys.executable, "-m", "harness", "leaderboard", str(evening / "run"), "-f", "html", "--phase", "final"]
    html += ["--ratings", str(evening / "ratings.csv"), "-o", str(tmp_path / "board.html")]
    subprocess.run(html, check=True, capture_output=True)
    assert (tmp_path / "board.html").read_bytes() == public.read_bytes()


def test_methods_come_from_the_spec(public: Path, watched: OpenPage) -> None:
    page = watched(public)
    weights = page.locator("#track1 table", has_text="Weights of the final").locator("tbody tr").all_inner_texts()
    terms = load_challenge().tracks["track1"].terms
    assert [row.split("\t")[1] for row in weights] == [str(weight) for weight in terms.values()]
    assert sum("human raters" in row for row in weights) == 2
    assert load_challenge().digest in page.locator("#track1 dl").inner_text()
    assert "denominator is the organisers' list" in page.locator("#track1").inner_text()
