"""The pictures in docs/pictures: `python tests/browser/pictures.py docs/pictures`, with the browser of the tests."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "submission"))
import made
import showcase

FLAGS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-sync"]
SHOTS = (
    ("report-light.png", "light", "body", 1400, 1250),
    ("report-dark.png", "dark", ".pictures", 1280, 900),
    ("report-latency.png", "light", "#track2", 1280, 1190),
    ("report-team.png", "light", "#track1-thinker", 1280, 560),
)
TEAMS = ("alpha", "beta")


def shoot(browser: Browser, page_path: Path, out: Path) -> None:
    for name, scheme, place, width, height in SHOTS:
        page = browser.new_page(viewport={"width": width, "height": height}, color_scheme=scheme)  # type: ignore[arg-type]
        page.goto(page_path.as_uri())
        page.evaluate("place => document.querySelector(place).scrollIntoView()", place)
        page.screenshot(path=out / name)
        page.close()


def rating_page(folder: Path) -> Path:
    """The Chinese page of two small submissions."""
    made.write(folder / "gold", made.inputs(audio=True))
    for team in TEAMS:
        made.write(folder / team, {**made.submission(), "submission.json": made.manifest(team=team)})
    command = [sys.executable, "-m", "harness", "ratings", "page", *(folder / team for team in TEAMS), "--seed", "a"]
    command += ["--references", folder / "gold", "--out", folder / "pages", "--key", folder / "key.json", "-q"]
    subprocess.run(list(map(str, command)), check=True)
    return folder / "pages" / "rate-zh.html"


def shoot_rating(browser: Browser, page_path: Path, out: Path) -> None:
    page = browser.new_page(viewport={"width": 1100, "height": 920})
    page.goto(page_path.as_uri())
    for key in ("z", "h", "-", "0", "7", "Enter", "Space"):
        page.keyboard.press(key)
    page.locator("#questions input:enabled").nth(9).wait_for(state="attached")
    page.keyboard.press("4")
    page.screenshot(path=out / "rating-page.png")
    page.close()


def main(out: Path) -> None:
    with tempfile.TemporaryDirectory() as scratch, sync_playwright() as playwright:
        folder = showcase.build(Path(scratch))
        report = folder / "report.html"
        command = [sys.executable, "-m", "harness", "report", folder / "run", "--out", report, "--phase", "final"]
        subprocess.run([*map(str, command), "--ratings", str(folder / "ratings.csv"), "-q"], check=True)
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=FLAGS)
        shoot(browser, report, out)
        shoot_rating(browser, rating_page(Path(scratch) / "raters"), out)
        browser.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
