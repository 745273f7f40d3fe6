"""A real headless Chromium on a live page, for the tests, the measurements and the screenshots."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

PATHS = ("chromium", "chromium-browser", "google-chrome")
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--use-angle=swiftshader",
    "--enable-unsafe-swiftshader",
    "--use-fake-ui-for-media-stream",
    "--use-fake-device-for-media-stream",
)
START_MS = 300_000
"""WebGL in software on a loaded machine takes its time to begin: with a tenth of a core, two minutes."""
PATIENCE_S = 120.0
"""For what a page does at once where it has a core."""


class NoBrowserError(RuntimeError):
    """Chromium or playwright is missing here."""


@dataclass
class Watched:
    """A page, and what went on in it."""

    page: Any
    errors: list[str] = field(default_factory=list)
    """Errors of the console and exceptions."""
    addresses: list[str] = field(default_factory=list)
    """Everything that was asked for."""

    def value(self, expression: str) -> Any:
        """What a JavaScript expression gives; ``dtalker`` is the page's own object for this."""
        return self.page.evaluate(f"() => ({expression})")

    def until(self, condition: str, timeout_s: float = PATIENCE_S) -> None:
        """Wait until a JavaScript condition holds."""
        self.page.wait_for_function(f"() => ({condition})", timeout=1000 * timeout_s)


def chromium_path() -> str:
    """Where Chromium is; raises `NoBrowserError`."""
    path = next(filter(None, map(shutil.which, PATHS)), None)
    if path is None:
        raise NoBrowserError("Chromium is not installed (apt install chromium)")
    return path


@contextmanager
def browser() -> Iterator[Any]:
    """A headless Chromium; raises `NoBrowserError`."""
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        raise NoBrowserError("playwright is not installed (pip install playwright)") from None
    path = chromium_path()
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=path, args=list(FLAGS), timeout=START_MS)
        try:
            yield chromium
        finally:
            chromium.close()


@contextmanager
def open_page(chromium: Any, url: str, size: tuple[int, int] = (720, 540), **context: Any) -> Iterator[Watched]:
    """A page at `url` whose head is shown; `context` as in playwright's ``new_context``."""
    opened = chromium.new_context(viewport={"width": size[0], "height": size[1]}, **context)
    opened.set_default_timeout(START_MS)
    watched = Watched(opened.new_page())
    watched.page.on("console", lambda m: watched.errors.append(m.text) if m.type == "error" else None)
    watched.page.on("pageerror", lambda error: watched.errors.append(str(error)))
    watched.page.on("request", lambda request: watched.addresses.append(request.url))
    watched.page.on("websocket", lambda socket: watched.addresses.append(socket.url))
    try:
        watched.page.goto(url)
        watched.page.wait_for_selector("#face.shown")
        watched.until("dtalker.settings.values !== null")
        yield watched
    finally:
        opened.close()
