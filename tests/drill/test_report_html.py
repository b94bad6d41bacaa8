"""The report in a real browser: every plot is drawn, nothing is fetched, nothing overflows, by day, night and phone."""

import json
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from drill_process import Finished

from outlast.drill.html import page

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(240),
    pytest.mark.skipif(
        not (shutil.which("chromedriver") and shutil.which("chromium")),
        reason="chromium and chromium-driver are absent",
    ),
]

FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--hide-scrollbars",
)
START_SECONDS = 30.0
BOXES = """
return [...document.querySelectorAll('svg')].map(svg => {
  const box = svg.getBoundingClientRect();
  const marks = [...svg.querySelectorAll('rect:not(.band)')].map(mark => mark.getBoundingClientRect());
  return [svg.id, box.width, box.height, marks.filter(mark => mark.width > 0 && mark.height > 0).length];
});
"""
COLOURS = "const style = getComputedStyle(document.body); return [style.backgroundColor, style.color];"


class Browser:
    """Headless Chromium, driven over the WebDriver protocol."""

    def __init__(self, folder: Path) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        self._driver = subprocess.Popen(
            ["chromedriver", f"--port={port}"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        self._http = httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=START_SECONDS, trust_env=False)
        self._session = ""
        try:
            self._wait()
            self._session = self._open(folder)
        except BaseException:
            self.close()
            raise

    def _wait(self) -> None:
        end = time.monotonic() + START_SECONDS
        while True:
            try:
                self._http.get("/status").raise_for_status()
            except httpx.TransportError:
                assert time.monotonic() < end, "chromedriver does not answer"
                time.sleep(0.05)
            else:
                return

    def _open(self, folder: Path) -> str:
        options = {"args": [*FLAGS, f"--user-data-dir={folder}"], "binary": shutil.which("chromium")}
        logs = {"browser": "ALL", "performance": "ALL"}
        wanted = {"browserName": "chrome", "goog:chromeOptions": options, "goog:loggingPrefs": logs}
        answer = self._http.post("/session", json={"capabilities": {"alwaysMatch": wanted}})
        return str(answer.raise_for_status().json()["value"]["sessionId"])

    def ask(self, command: str, **body: Any) -> Any:
        """One command of the session; returns its value."""
        answer = self._http.post(f"/session/{self._session}/{command}", json=body)
        return answer.raise_for_status().json()["value"]

    def run(self, script: str) -> Any:
        """What a script in the page returns."""
        return self.ask("execute/sync", script=script, args=[])

    def tell(self, command: str, **parameters: Any) -> None:
        """One command of Chromium's own protocol."""
        self.ask("goog/cdp/execute", cmd=command, params=parameters)

    def size(self, width: int) -> None:
        """As wide as a screen of so many pixels."""
        self.tell(
            "Emulation.setDeviceMetricsOverride", width=width, height=900, deviceScaleFactor=1, mobile=width < 600
        )

    def scheme(self, name: str) -> None:
        """As by day or by night."""
        self.tell("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": name}])

    def requested(self) -> list[str]:
        """The addresses that were asked for since the last time."""
        messages = [json.loads(entry["message"])["message"] for entry in self.ask("se/log", type="performance")]
        sent = [item["params"] for item in messages if item["method"] == "Network.requestWillBeSent"]
        return [item["request"]["url"] for item in sent]

    def said(self) -> list[str]:
        """The console's lines since the last time."""
        return [entry["message"] for entry in self.ask("se/log", type="browser")]

    def close(self) -> None:
        if self._session:
            self._http.delete(f"/session/{self._session}")
        self._http.close()
        self._driver.terminate()
        self._driver.wait(10)


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """One browser for all pages."""
    made = Browser(tmp_path_factory.mktemp("profile"))
    yield made
    made.close()


@pytest.fixture
def report(both_acts: Finished, browser: Browser, tmp_path: Path) -> str:
    """The report of a real drill, opened; returns its address."""
    file = tmp_path / "report.html"
    file.write_text(page(both_acts.result), encoding="utf-8")
    browser.size(1200)
    browser.scheme("light")
    browser.requested()
    browser.said()
    browser.ask("url", url=file.as_uri())
    return file.as_uri()


def test_every_plot_is_drawn(browser: Browser, report: str, both_acts: Finished) -> None:
    """Each plot has a size and at least one mark; each group of each act has its plots, and each act its DNS."""
    boxes = browser.run(BOXES)
    groups = [len(act["groups"]) for act in both_acts.result["acts"]]

    assert [] == [box for box in boxes if min(box[1:]) <= 0]
    assert groups == [sum(f"act-{n}-calls-" in box[0] for box in boxes) for n in range(1, len(groups) + 1)]
    assert groups == [sum(f"act-{n}-attempts-" in box[0] for box in boxes) for n in range(1, len(groups) + 1)]
    assert [] == [n for n in range(1, len(groups) + 1) if not any(f"act-{n}-dns-" in box[0] for box in boxes)]


def test_nothing_is_fetched_and_nothing_complained_of(browser: Browser, report: str) -> None:
    """The page itself is the only thing that is asked for, and the console stays silent."""
    assert ([], [report]) == (browser.said(), [url for url in browser.requested() if not url.startswith("data:")])


@pytest.mark.parametrize("width", [390, 1200])
def test_nothing_overflows(browser: Browser, report: str, width: int) -> None:
    """On a phone as on a desk nothing scrolls sideways but tables in their frames, with all tables unfolded."""
    browser.size(width)
    browser.run("document.querySelectorAll('details').forEach(item => { item.open = true; });")

    assert width >= browser.run("return document.documentElement.scrollWidth;")
    assert width == browser.run("return window.innerWidth;")
    assert [] == [box for box in browser.run(BOXES) if min(box[1:]) <= 0]


def test_night_is_dark_and_day_is_light(browser: Browser, report: str) -> None:
    """Background and text change places with the system's colour scheme."""
    day = browser.run(COLOURS)
    browser.scheme("dark")
    night = browser.run(COLOURS)

    assert ["rgb(255, 255, 255)", "rgb(27, 32, 38)"] == day
    assert ["rgb(16, 21, 26)", "rgb(230, 234, 238)"] == night
