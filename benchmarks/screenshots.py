"""Pictures of pages for the documents, by headless Chromium: TensorBoard over a run, a report, a site.

    python -m benchmarks.screenshots --run=runs/sst2 --out=docs/pictures      # TensorBoard's tabs, at 1,280 pixels
    python -m benchmarks.screenshots --page=report=report.html --width=390 --out=docs/pictures
    python -m benchmarks.screenshots --page=site=docs/_build/html/index.html --height=800 --out=docs/pictures

Needs the extra `browser`, and Chromium (`CHROMIUM=PATH`, else the first of the usual names on the PATH). Pictures have
256 colours at most, so that a document stays light.
"""

# pyright: reportMissingImports=false
from __future__ import annotations

import argparse
import contextlib
import io
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import quote

FLAGS = (
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"),
    *("--disable-component-update", "--disable-sync", "--enable-unsafe-swiftshader"),
)
NAMES = ("chromium", "chromium-browser", "google-chrome")
PATIENCE_MS = 120_000
START_SECONDS = 180
COLOURS = 96


class Page(NamedTuple):
    """A picture to be made.

    Args:
        name: of its file.
        url: what is opened.
        width: of the window, in pixels.
        wait_for: texts that must be there first.
        height: of the window; None: the whole page.
        clicks: texts that are clicked on first, one after another.
        settle_ms: how long to wait then, for what is drawn without a text.
    """

    name: str
    url: str
    width: int = 1280
    wait_for: Sequence[str] = ()
    height: int | None = 800
    clicks: Sequence[str] = ()
    settle_ms: int = 0


def chromium() -> str | None:
    """Where the browser is; None where there is none."""
    asked = os.environ.get("CHROMIUM")
    return asked or next((path for path in map(shutil.which, NAMES) if path), None)


@contextlib.contextmanager
def browser() -> Iterator[Any]:
    """A headless browser of Playwright's, with an empty profile. Raises: FileNotFoundError where there is none."""
    from playwright.sync_api import sync_playwright

    program = chromium()
    if program is None:
        raise FileNotFoundError(f"expected one of {', '.join(NAMES)} on the PATH, or CHROMIUM=PATH. Received: none")
    with sync_playwright() as playwright, tempfile.TemporaryDirectory() as profile:
        context = playwright.chromium.launch_persistent_context(
            profile, executable_path=program, headless=True, args=list(FLAGS)
        )
        context.set_default_timeout(PATIENCE_MS)
        try:
            yield context
        finally:
            context.close()


@contextlib.contextmanager
def tensorboard(folder: Path) -> Iterator[str]:
    """TensorBoard over a folder, on a free port of this machine. Yields: its address."""
    command = [sys.executable, "-m", "tensorboard.main", f"--logdir={folder}", "--port=0", "--host=127.0.0.1"]
    with (
        tempfile.NamedTemporaryFile("w") as log,
        subprocess.Popen([*command, "--reload_interval=5"], stdout=log, stderr=log) as process,
    ):
        try:
            end = time.monotonic() + START_SECONDS
            while not (found := re.search(r"http://127\.0\.0\.1:\d+/", said := Path(log.name).read_text())):
                if process.poll() is not None or time.monotonic() > end:
                    raise RuntimeError(f"TensorBoard did not start: {said[-2000:]}")
                time.sleep(0.2)
            yield found[0]
        finally:
            process.terminate()


def opened(context: Any, page: Page) -> Any:
    """The page in a tab of its own, with all that is waited for. Raises: TimeoutError that names the missing text."""
    tab = context.new_page()
    tab.set_viewport_size({"width": page.width, "height": page.height or 800})
    tab.goto(page.url)
    for text in page.clicks:
        tab.get_by_text(text, exact=True).first.click()
    for text in page.wait_for:
        wait_for(tab, text)
    tab.wait_for_timeout(page.settle_ms)
    return tab


def wait_for(tab: Any, text: str, *, seconds: float = 120) -> None:
    """Until a text stands in the page or in a page within it. Raises: TimeoutError that names it."""
    end = time.monotonic() + seconds
    while not any(frame.get_by_text(text).count() for frame in tab.frames):
        if time.monotonic() > end:
            raise TimeoutError(f"{tab.url}: expected {text!r}. Received: {tab.locator('body').inner_text()[:2000]!r}")
        tab.wait_for_timeout(300)


def picture(context: Any, page: Page, out: Path) -> Path:
    """Makes one. Returns: its file."""
    from PIL import Image

    tab = opened(context, page._replace(settle_ms=page.settle_ms or 1000))
    png = tab.screenshot(full_page=page.height is None)
    tab.close()
    file = out / f"{page.name}.png"
    image = Image.open(io.BytesIO(png)).convert("RGB")
    image.quantize(COLOURS, dither=Image.Dither.NONE).save(file, optimize=True)
    return file


def curves(url: str, tags: str, runs: str = "") -> str:
    """The address of TensorBoard's time series of the tags, and the runs, that regular expressions take."""
    return f"{url}?tagFilter={quote(tags)}&runFilter={quote(runs)}&smoothing=0#timeseries"


def tabs_of_tensorboard(url: str) -> list[Page]:
    """TensorBoard's tabs over a run of a classifier."""
    return [
        Page(
            "tensorboard_curves",
            curves(url, "quality|examples_per_second|learning_rate"),
            wait_for=("quality/loss", "quality/accuracy"),
            clicks=("Settings",),
            settle_ms=3000,
        ),
        Page("tensorboard_images", f"{url}#images", wait_for=("validation/confusion",), settle_ms=3000),
        Page("tensorboard_text", f"{url}#text&tagFilter=mistakes", wait_for=("validation/mistakes",), settle_ms=3000),
        Page("tensorboard_hparams", f"{url}#hparams", wait_for=("TABLE VIEW",), settle_ms=3000),
        Page("tensorboard_projector", f"{url}#projector", wait_for=("Points: ",), settle_ms=15_000),
        Page("tensorboard_pr_curves", f"{url}#pr_curves", wait_for=("precision_recall/",), settle_ms=3000),
        Page("tensorboard_graph", f"{url}#graphs", wait_for=("Main Graph",), settle_ms=3000),
    ]


def main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--run", type=Path, help="a run folder, or a folder of them: its TensorBoard")
    parser.add_argument("--page", action="append", default=[], metavar="NAME=URL", help="any page, or a file")
    parser.add_argument("--width", type=int, default=1280, help="of the window for --page")
    parser.add_argument("--height", type=int, help="of the window for --page; default: the whole page")
    parser.add_argument("--wait-for", action="append", default=[], metavar="TEXT", help="what --page must show first")
    parser.add_argument("--only", help="part of the names of the pictures to be made")
    parser.add_argument("--out", type=Path, required=True, help="folder of the pictures")
    flags = parser.parse_args(argv)
    flags.out.mkdir(parents=True, exist_ok=True)
    with contextlib.ExitStack() as stack:
        pages = []
        for given in flags.page:
            name, _, place = given.partition("=")
            url = place if "://" in place else Path(place).resolve().as_uri()
            pages.append(Page(name, url, width=flags.width, wait_for=flags.wait_for, height=flags.height))
        if flags.run is not None:
            pages += tabs_of_tensorboard(stack.enter_context(tensorboard(flags.run)))
        context = stack.enter_context(browser())
        for page in pages:
            if flags.only is None or flags.only in page.name:
                file = picture(context, page, flags.out)
                print(f"{file}: {file.stat().st_size / 1e3:.0f} kB")


if __name__ == "__main__":
    main()
