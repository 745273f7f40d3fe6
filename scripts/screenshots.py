"""Makes the pictures of the live page in docs/images/ with the shipped model and head, in a real browser.

``python -m scripts.screenshots [--only NAME]``. The faces are the model's own, in a vowel of the demo clip.
"""

import argparse
import io
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from PIL import Image

import dtalker_model
from dtalker_model.view.avatar_file import read_avatar
from dtalker_model.view.performer import Performer
from dtalker_model.view.server import ViewServer
from dtalker_model.view.sound import read_sound
from scripts.browser import Watched, browser, open_page

DEMO = Path(dtalker_model.__file__).parent / "data" / "demo.wav"
FOLDER = Path(__file__).parents[1] / "docs" / "images"
DESK, PHONE = (1280, 800), (390, 844)
LARGEST_BYTES = 200_000
MOMENT_S = 5.1
"""A vowel of the demo clip."""
FREEZE = """(seconds) => {
  const at = dtalker.frames.at.bind(dtalker.frames);
  const hold = new Float32Array(52);
  let held = false;
  dtalker.frames.at = (time, out) => {
    if (held) { out.set(hold); return time; }
    const shown = at(time, out);
    if (dtalker.clock.kind === "clip" && shown >= seconds) { hold.set(out); held = true; }
    return shown;
  };
  window.held = () => held;
}"""


@dataclass(frozen=True)
class Shot:
    """One picture."""

    name: str
    size: tuple[int, int]
    scheme: str
    settings: dict[str, Any]
    """Of the engine."""


SHOTS = (
    Shot("page-light", DESK, "light", {"emotion": "neutral"}),
    Shot("page-dark", DESK, "dark", {"emotion": "live", "identity": "live"}),
    Shot("happy", DESK, "light", {"emotion": "happy", "intensity": 1.3}),
    Shot("angry", DESK, "dark", {"emotion": "angry", "intensity": 1.3}),
    Shot("phone", PHONE, "light", {"emotion": "happy"}),
    Shot("phone-dark", PHONE, "dark", {"emotion": "surprised"}),
)


def take(chromium: Any, url: str, shot: Shot) -> bytes:
    """The picture as PNG."""
    context = {"color_scheme": shot.scheme}
    with open_page(chromium, f"{url}?fine", shot.size, **context) as watched:
        watched.page.evaluate(f"() => dtalker.settings.set({_javascript(shot.settings)})")
        watched.until(f"dtalker.settings.values.emotion === {shot.settings['emotion']!r}")
        watched.page.evaluate(FREEZE, MOMENT_S)
        watched.page.click("#play")
        watched.until("window.held()", timeout_s=90)
        _settle(watched)
        picture = watched.page.screenshot()
        watched.page.evaluate("() => dtalker.settings.set({emotion: 'neutral', identity: 'default', intensity: 1})")
        watched.page.click("#play")
        watched.until("dtalker.clock.kind === 'rest' && dtalker.settings.values.emotion === 'neutral'")
    return small(picture)


def _settle(watched: Watched) -> None:
    """Wait until the held face was drawn."""
    count = watched.value("dtalker.measured.refreshes")
    watched.until(f"dtalker.measured.refreshes > {count + 3}", timeout_s=60)


def _javascript(settings: dict[str, Any]) -> str:
    return "{" + ", ".join(f"{name}: {value!r}" for name, value in settings.items()) + "}"


def small(picture: bytes) -> bytes:
    """The same picture in few enough colours for `LARGEST_BYTES`."""
    image = Image.open(io.BytesIO(picture)).convert("RGB")
    for colours, dither in ((256, Image.Dither.FLOYDSTEINBERG), (256, Image.Dither.NONE), (128, Image.Dither.NONE)):
        buffer = io.BytesIO()
        image.quantize(colours, dither=dither).save(buffer, "PNG", optimize=True)
        if buffer.tell() < LARGEST_BYTES:
            break
    return buffer.getvalue()


def main() -> None:
    """Take the pictures."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", help="name of one picture")
    parser.add_argument("--out", type=Path, default=FOLDER)
    arguments = parser.parse_args()
    arguments.out.mkdir(parents=True, exist_ok=True)
    performer = Performer(dtalker_model.load(), read_sound(DEMO, DEMO.name))
    with ViewServer(performer, read_avatar()) as server, browser() as chromium:
        for shot in SHOTS:
            if arguments.only in (None, shot.name):
                picture = take(chromium, server.url, shot)
                (arguments.out / f"{shot.name}.png").write_bytes(picture)
                print(f"{shot.name}.png {len(picture) / 1000:.0f} kB", flush=True)
    performer.close()


if __name__ == "__main__":
    main()
