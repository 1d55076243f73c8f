"""The pictures in docs/pictures: `python tests/browser/pictures.py docs/pictures`, with the browser of the tests."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
import showcase

FLAGS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-sync"]
SHOTS = (
    ("report-light.png", "light", "body", 1400, 1250),
    ("report-dark.png", "dark", ".pictures", 1280, 900),
    ("report-latency.png", "light", "#track2", 1280, 1150),
    ("report-team.png", "light", "#track1-thinker", 1280, 560),
)


def shoot(browser: Browser, page_path: Path, out: Path) -> None:
    for name, scheme, place, width, height in SHOTS:
        page = browser.new_page(viewport={"width": width, "height": height}, color_scheme=scheme)  # type: ignore[arg-type]
        page.goto(page_path.as_uri())
        page.evaluate("place => document.querySelector(place).scrollIntoView()", place)
        page.screenshot(path=out / name)
        page.close()


def main(out: Path) -> None:
    with tempfile.TemporaryDirectory() as scratch, sync_playwright() as playwright:
        folder = showcase.build(Path(scratch))
        report = folder / "report.html"
        command = [sys.executable, "-m", "harness", "report", folder / "run", "--out", report, "--phase", "final"]
        subprocess.run([*map(str, command), "--ratings", str(folder / "ratings.csv"), "-q"], check=True)
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=FLAGS)
        shoot(browser, report, out)
        browser.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
