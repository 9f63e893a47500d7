"""Pages in a real browser, one for all tests."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from selenium.webdriver import Chrome, ChromeOptions, ChromeService
from selenium.webdriver.common.by import By
from selenium.webdriver.remote.webelement import WebElement

from fuzzer.reports.page.page import page
from fuzzer.runs.reading import Run

DESKTOP, PHONE = (1200, 900), (390, 844)


@dataclass
class Browser:
    """Headless Chromium, and what a person does in it."""

    chrome: Chrome
    folder: Path

    def open(
        self, run: Run, *, size: tuple[int, int] = DESKTOP, scheme: str = "light", name: str = "page.html"
    ) -> None:
        """Open the page of a run, from disk."""
        file = self.folder / name
        file.write_text(page(run), encoding="utf-8")
        media = {"features": [{"name": "prefers-color-scheme", "value": scheme}]}
        self.chrome.execute_cdp_cmd("Emulation.setEmulatedMedia", media)
        metrics = {"width": size[0], "height": size[1], "deviceScaleFactor": 1, "mobile": size is PHONE}
        self.chrome.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
        self.told()  # what earlier pages said is not ours
        self.chrome.get(file.as_uri())

    def all(self, selector: str) -> list[WebElement]:
        """Every element."""
        return self.chrome.find_elements(By.CSS_SELECTOR, selector)

    def run(self, script: str) -> object:
        """What a script returns."""
        return self.chrome.execute_script(script)

    def told(self) -> list[str]:
        """Warnings and errors of the console since it was asked last."""
        return [entry["message"] for entry in self.chrome.get_log("browser")]

    def requests(self) -> list[str]:
        """Addresses that were asked for since they were asked for last."""
        wanted = '"method":"Network.requestWillBeSent"'
        return [e["message"] for e in self.chrome.get_log("performance") if wanted in e["message"]]


@pytest.fixture(scope="session")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """A browser; without one the test is skipped, or fails if one is required."""
    paths = shutil.which("chromium"), shutil.which("chromedriver")
    if not all(paths):
        if os.environ.get("KNOCKON_REQUIRE_BROWSER") == "1":
            pytest.fail("KNOCKON_REQUIRE_BROWSER=1, and there is no chromium with chromedriver")
        pytest.skip("there is no chromium with chromedriver: scripts/browser.sh installs them")
    options = ChromeOptions()
    options.binary_location = paths[0]
    for word in ("headless=new", "no-sandbox", "disable-dev-shm-usage", "disable-background-networking"):
        options.add_argument(f"--{word}")
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    chrome = Chrome(options=options, service=ChromeService(paths[1]))
    try:
        yield Browser(chrome, tmp_path_factory.mktemp("pages"))
    finally:
        chrome.quit()
