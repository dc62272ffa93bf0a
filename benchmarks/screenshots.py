"""Pictures of pages for the documents, by headless Chromium: TensorBoard over a run, a report, a site.

    python -m benchmarks.screenshots --run=runs/sst2 --out=docs/pictures      # TensorBoard's tabs, at 1,280 pixels
    python -m benchmarks.screenshots --page=report=report.html --width=390 --out=docs/pictures

Needs the extra `browser`, and Chromium (`CHROMIUM=PATH`, else the first of the usual names on the PATH). Pictures have
256 colours at most, so that a document stays light.
"""

from __future__ import annotations

import contextlib
import io
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

FLAGS = (
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"),
    *("--disable-component-update", "--disable-sync", "--enable-unsafe-swiftshader"),
)
NAMES = ("chromium", "chromium-browser", "google-chrome")
PATIENCE_MS = 120_000
COLOURS = 96


class Page(NamedTuple):
    """A picture to be made.

    Args:
        name: of its file.
        url: what is opened.
        width: of the window, in pixels.
        wait_for: texts that must be there first.
        height: of the window; None: the whole page.
        clicks: texts that are clicked on, one after another.
    """

    name: str
    url: str
    width: int = 1280
    wait_for: Sequence[str] = ()
    height: int | None = 800
    clicks: Sequence[str] = ()


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
    with tempfile.TemporaryFile("w+") as log:
        process = subprocess.Popen([*command, "--reload_interval=5"], stdout=log, stderr=subprocess.PIPE, text=True)
        assert process.stderr is not None
        try:
            said = []
            for line in process.stderr:
                said.append(line)
                found = re.search(r"http://127\.0\.0\.1:\d+/", line)
                if found:
                    yield found[0]
                    break
            else:
                raise RuntimeError(f"TensorBoard did not start: {''.join(said)[-2000:]}")
        finally:
            process.terminate()
            process.wait(timeout=30)


def opened(context: Any, page: Page) -> Any:
    """The page in a tab of its own, with all that is waited for."""
    tab = context.new_page()
    tab.set_viewport_size({"width": page.width, "height": page.height or 800})
    tab.goto(page.url)
    for text in page.clicks:
        tab.get_by_text(text, exact=True).first.click()
    for text in page.wait_for:
        found = [frame.get_by_text(text) for frame in tab.frames]
        (found[0] if len(found) == 1 else found[0].or_(found[0])).first.wait_for(state="attached")
    tab.wait_for_timeout(1500)  # what is drawn after it is there
    return tab


def picture(context: Any, page: Page, out: Path) -> Path:
    """Makes one. Returns: its file."""
    from PIL import Image

    tab = opened(context, page)
    png = tab.screenshot(full_page=page.height is None)
    tab.close()
    file = out / f"{page.name}.png"
    image = Image.open(io.BytesIO(png)).convert("RGB")
    image.quantize(COLOURS, dither=Image.Dither.NONE).save(file, optimize=True)
    return file
