"""The rating page in a real browser, from real submissions to ratings that the table takes: by keyboard alone, without
a name on it, kept over a reload, the same order for the same rater."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import made
import pytest
from command import humdial
from playwright.sync_api import Browser, Page

from harness.resources import schema_path

OpenPage = Callable[..., Page]
HOSTILE = "</script><script>window.pwned=1</script><img src=x onerror=window.pwned=2> \u202e "
TEAMS = ("alpha", "beta", "gamma")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """References, three submissions (a hostile one with a hostile WAV chunk), and their pages with the key."""
    root: Path = tmp_path_factory.mktemp("rating")
    made.write(root / "references", made.inputs(audio=True))
    for number, team in enumerate(TEAMS):
        files = {**made.submission(), "submission.json": made.manifest(team=team)}
        if team == "gamma":
            said = ('"response_text": ' + json.dumps(HOSTILE)[:-1]).encode()
            files = {
                p: d.replace(b'"response_text": "', said) if p.endswith("task4.jsonl") else d for p, d in files.items()
            }
        for path in list(files):
            if path.endswith(".wav"):
                files[path] = made.wav(0.3 + number / 10, 8000 * (number + 1))
        made.write(root / team, files)
    page(root, "pages")
    return root


def page(root: Path, name: str, *more: str) -> Path:
    teams = [root / team for team in TEAMS]
    arguments = ("--references", root / "references", "--key", root / f"{name}.key.json", "--seed", "a secret")
    humdial("ratings", "page", *teams, *arguments, "--out", root / name, *more)
    return root / name


def start(page: Page, rater: str) -> None:
    page.keyboard.press("Control+A")
    page.keyboard.type(rater)
    page.keyboard.press("Enter")


def listen(page: Page) -> None:
    page.keyboard.press("Space")
    page.locator("#questions input:enabled").nth(9).wait_for(state="attached")


def shown(page: Page) -> str:
    return str(page.evaluate("item().id"))


def saved(page: Page) -> list[dict[str, str]]:
    with page.expect_download() as waiting:
        page.locator("#export").press("Enter")
    text = waiting.value.path().read_text("utf-8")
    return list(csv.DictReader(io.StringIO(text)))


def test_a_rater_marks_everything_by_keyboard_and_the_file_becomes_ratings(
    folder: Path, watched: OpenPage, tmp_path: Path
) -> None:
    page = watched(folder / "pages" / "rate-zh.html")
    start(page, "zh-07")
    given: dict[str, tuple[int, int]] = {}
    for number in range(6):
        if number == 3:  # a night's sleep
            page.reload()
            assert page.locator("#rater").input_value() == "zh-07"
            page.keyboard.press("Enter")
            assert "已评 3 条，共 6 条" in page.locator("#progress").inner_text()
        page.keyboard.press("4")  # before it was heard a key marks nothing
        assert page.locator("#questions input:checked").count() == 0
        listen(page)
        given[shown(page)] = (1 + number % 5, 5 - number % 5)
        for mark in given[shown(page)]:
            page.keyboard.press(str(mark))
        assert page.locator("#questions input:checked").count() == 2
        page.keyboard.press("Enter")
    assert len(given) == 6 and "全部回复都已打分" in page.locator("#left").inner_text()
    rows = saved(page)
    assert {row["team"] for row in rows} == set(given) and len(rows) == 12
    export = tmp_path / "zh-07.csv"
    export.write_text(",".join(rows[0]) + "\n" + "".join(",".join(row.values()) + "\n" for row in rows), "utf-8")
    done = humdial("ratings", "import", export, "--key", folder / "pages.key.json")
    key = json.loads((folder / "pages.key.json").read_text("utf-8"))["items"]
    ratings = {(r["team"], r["dialogue_id"], r["dimension"]): r for r in csv.DictReader(io.StringIO(done.stdout))}
    assert len(ratings) == 12 and {team for team, _, _ in ratings} == set(TEAMS)
    for opaque, marks in given.items():
        voice, quality = (
            ratings[key[opaque]["team"], key[opaque]["dialogue_id"], name]
            for name in ("vocal_empathy_congruence", "audio_quality_naturalness")
        )
        assert (int(voice["score"]), int(quality["score"])) == marks
        assert (voice["rater_id"], voice["language"]) == ("zh-07", "zh")


def test_the_page_names_nobody_and_the_key_keeps_its_schema(folder: Path) -> None:
    key = json.loads((folder / "pages.key.json").read_text("utf-8"))
    jsonschema.Draft202012Validator(json.loads(schema_path("rating-key").read_text("utf-8"))).validate(key)
    assert {item["team"] for item in key["items"].values()} == set(TEAMS)
    for text in ((folder / "pages" / f"rate-{language}.html").read_text("utf-8") for language in ("zh", "en")):
        names = [*TEAMS, key["seed"], *(item["dialogue_id"] for item in key["items"].values())]
        assert not [name for name in names if name in text]
    done = humdial(
        *("ratings", "page", folder / "alpha", "--references", folder / "references"),
        *("--out", folder / "pages", "--key", folder / "pages" / "key.json"),
        code=2,
    )
    assert "--key lies among the pages" in done.stderr


def order(page: Page, rater: str) -> list[str]:
    start(page, rater)
    found = list(page.evaluate("order"))
    page.locator("#leave").click()
    return found


def test_each_rater_has_an_order_of_their_own(folder: Path, watched: OpenPage) -> None:
    page = watched(folder / "pages" / "rate-en.html")
    orders = [order(page, f"en-{number:02}") for number in range(6)]
    assert all(sorted(found) == sorted(orders[0]) for found in orders)
    assert len({tuple(found) for found in orders}) >= 4
    assert order(page, "en-03") == orders[3]


def test_what_teams_wrote_does_nothing_and_reads_in_both_languages(folder: Path, watched: OpenPage) -> None:
    page = watched(folder / "pages" / "rate-en.html")
    start(page, "en-01")
    seen = ""
    for _ in range(6):
        seen += page.locator("#turns").inner_text()
        page.keyboard.press("ArrowRight")
    assert page.evaluate("window.pwned") is None and page.locator("#turns img, #turns script").count() == 0
    assert HOSTILE[:38] in seen and "\u202e" not in page.content()
    assert "Does the voice suit" in page.locator("#questions").inner_text() and "(sad)" in seen
    page.locator("#switch").click()
    assert "声音的情感与用户的心情相符吗" in page.locator("#questions").inner_text()
    assert page.evaluate("document.documentElement.lang") == "zh-Hans"


def test_arrows_choose_the_question_and_a_mark_can_be_changed(folder: Path, watched: OpenPage) -> None:
    page = watched(folder / "pages" / "rate-en.html")
    start(page, "en-02")
    listen(page)
    for key in ("2", "3", "ArrowUp", "5", "9", "0"):
        page.keyboard.press(key)
    rows = {row["dimension"]: row["score"] for row in saved(page)}
    assert rows == {"task4.vocal_empathy_congruence": "5", "task4.audio_quality_naturalness": "3"}
    page.locator("#questions label", has_text="4").nth(1).click()
    assert {row["score"] for row in saved(page)} == {"5", "4"}


def test_audio_beside_the_page_is_the_samples_alone_and_plays(folder: Path, browser: Browser) -> None:
    pages = page(folder, "beside", "--audio", "beside")
    names = sorted(path.stem for path in (pages / "audio").iterdir())
    assert names == sorted(json.loads((folder / "beside.key.json").read_text("utf-8"))["items"])
    context = browser.new_context()
    opened = context.new_page()
    opened.goto((pages / "rate-en.html").as_uri())
    start(opened, "en-01")
    listen(opened)
    assert opened.evaluate("sound.duration") == pytest.approx(0.4, abs=0.11)
    blocked = opened.evaluate(
        "() => new Promise(done => { document.addEventListener('securitypolicyviolation', () => done(true));"
        " setTimeout(() => done(false), 5000); const s = document.createElement('script');"
        " s.textContent = 'window.pwned = 1'; document.body.append(s); fetch('https://127.0.0.1/x').catch(() => {}); })"
    )
    assert blocked and opened.evaluate("window.pwned") is None
    context.close()


def test_a_browser_that_keeps_nothing_says_so(folder: Path, browser: Browser) -> None:
    context = browser.new_context()
    context.add_init_script("Object.defineProperty(window, 'localStorage', {get() { throw new Error('no'); }})")
    opened = context.new_page()
    opened.goto((folder / "pages" / "rate-zh.html").as_uri())
    start(opened, "zh-01")
    assert "无法保存" in opened.locator("#kept").inner_text()
    listen(opened)
    opened.keyboard.press("3")
    assert [row["score"] for row in saved(opened)] == ["3"]
    context.close()


def test_on_a_telephone_nothing_scrolls_sideways(folder: Path, watched: OpenPage) -> None:
    opened: Any = watched(folder / "pages" / "rate-zh.html", viewport={"width": 360, "height": 740})
    start(opened, "zh-01")
    assert opened.evaluate("document.documentElement.scrollWidth") <= 360
    assert re.fullmatch(r"第 1 条，共 6 条", opened.locator("#number").inner_text())
