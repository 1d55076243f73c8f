"""A real browser, one a test session, and pages that notice every load, message and error."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import showcase
from playwright.sync_api import Browser, Page, sync_playwright

# No sandbox, for CI runs as root; the rest keeps the browser from calling anybody by itself.
FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
OpenPage = Callable[..., Page]


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    found = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    assert found, "no browser: `make browser` installs one"
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=found, args=FLAGS, timeout=120_000)
        yield opened
        opened.close()


@pytest.fixture
def watched(browser: Browser) -> Iterator[OpenPage]:
    """``watched(path, **context)`` opens a file. At the end of the test nothing may have been loaded but the file
    itself, and nothing said on the console."""
    contexts: list[Any] = []
    noticed: list[str] = []

    def open_page(path: Path, **more: Any) -> Page:
        context = browser.new_context(**more)
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(60_000)
        page.on("console", lambda message: noticed.append(f"console: {message.text}"))
        page.on("pageerror", lambda error: noticed.append(f"error: {error}"))
        page.on("request", lambda request: _notice(request.url, path, noticed))
        page.goto(path.as_uri())
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert noticed == []


def _notice(url: str, path: Path, noticed: list[str]) -> None:
    if url.partition("#")[0] != path.as_uri() and not re.match(r"(data|blob):", url):
        noticed.append(f"request: {url}")


@pytest.fixture(scope="session")
def evening(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Reports, items and ratings of the invented teams."""
    return showcase.build(tmp_path_factory.mktemp("evening"), 12)
