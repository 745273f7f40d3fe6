"""The live page in a real headless Chromium: it renders, follows frames and controls, keeps in step with the sound."""

import json
import time
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import numpy as np
import pytest
import soundfile
from real_time_rig import in_time
from view_rig import Rig, served

# isort: split

import dtalker_model
from dtalker_model.blendshapes import INDEX
from dtalker_model.view.server import Address
from scripts.browser import NoBrowserError, Watched, browser, open_page
from scripts.view_sync import long_clip, measure

REACH_MS = 200
TIMES = 7
STEP_MS = 40
SYNC_S = 12.0
MARK_INPUTS = """() => {
  const slider = document.getElementById("intensity");
  const mark = (event) => inputs.push(performance.timeOrigin + event.timeStamp);
  if (!window.inputs) slider.addEventListener("input", mark);
  window.inputs = [];
}"""
PANEL_ALONE = """async (about) => {
  const page = new DOMParser().parseFromString(await (await fetch("/")).text(), "text/html");
  document.body.replaceChildren(page.getElementById("panel"));
  const { Panel } = await import("/panel.js");
  const asked = [];
  new Panel({ set: (changes) => asked.push(changes), values: {} }, about);
  const { min, max, disabled, title } = Object.assign(document.getElementById("articulation"), { value: 1.5 });
  document.getElementById("articulation").dispatchEvent(new Event("input"));
  return { min, max, disabled, title, asked };
}"""
JOINTS_ALONE = """async (steps) => {
  const page = new DOMParser().parseFromString(await (await fetch("/")).text(), "text/html");
  document.body.replaceChildren(page.getElementById("panel"));
  const { Joints } = await import("/joints.js");
  const section = document.getElementById("joints-section"), parent = document.getElementById("joints");
  const joints = new Joints(section, parent), seen = [section.hidden];
  joints.offer(steps.shift());
  seen.push(section.hidden);
  for (const step of steps) {
    joints.move(step);
    seen.push([...parent.children].map((row) => [
      row.getAttribute("aria-label"), row.getAttribute("aria-valuemin"), row.getAttribute("aria-valuemax"),
      row.getAttribute("aria-valuenow"), row.querySelector("b").style.transform, row.lastChild.textContent,
      row.classList.contains("top"),
    ]));
  }
  return seen;
}"""
PHONE = {"device_scale_factor": 2, "is_mobile": True, "has_touch": True}


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    try:
        with browser() as opened:
            yield opened
    except NoBrowserError as error:
        pytest.skip(str(error))


@pytest.fixture(scope="module")
def rig(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rig]:
    with served(long_clip(60, tmp_path_factory.mktemp("clip"))) as opened:
        yield opened


@pytest.fixture(scope="module")
def watched(chromium: Any, rig: Rig) -> Iterator[Watched]:
    with open_page(chromium, rig.server.url) as opened:
        yield opened


def picture(watched: Watched) -> np.ndarray:
    """The face's canvas as (height, width, 3), 0..1."""
    image = pytest.importorskip("PIL.Image")
    shot = watched.page.locator("#face").screenshot()
    return np.asarray(image.open(BytesIO(shot)).convert("RGB"), np.float32) / 255


def faces(watched: Watched, weights: np.ndarray) -> np.ndarray:
    """The picture of a face that stands still."""
    text = json.dumps(weights.tolist())
    watched.page.evaluate(f"() => {{ dtalker.frames.at = (t, out) => {{ out.fill(0).set({text}); return t; }}; }}")
    count = watched.value("dtalker.measured.refreshes")
    watched.until(f"dtalker.measured.refreshes > {count + 3}")
    shown = picture(watched)
    watched.page.evaluate("() => { delete dtalker.frames.at; }")
    return shown


def test_the_head_is_drawn(watched: Watched) -> None:
    shown = picture(watched)
    middle = shown[shown.shape[0] // 4 : shown.shape[0] // 2, shown.shape[1] // 3 : -shown.shape[1] // 3]
    assert middle.std() > 0.05
    assert np.abs(middle.mean(axis=(0, 1)) - shown[5, 5]).max() > 0.02


def test_the_mouth_moves_between_a_vowel_and_a_closure(watched: Watched, demo_wav: Path) -> None:
    closed = np.zeros(52, np.float32)
    opened = closed.copy()
    opened[[INDEX["jawOpen"], INDEX["mouthLowerDownLeft"], INDEX["mouthLowerDownRight"]]] = 0.6, 0.3, 0.3
    difference = np.abs(faces(watched, opened) - faces(watched, closed)).mean(axis=2)
    rows = np.where(difference.max(axis=1) > 0.1)[0]
    assert (difference > 0.1).sum() > 200
    assert rows.min() > 0.4 * len(difference), "something above the mouth moved"


def test_the_models_own_vowel_and_closure_differ(watched: Watched, demo_wav: Path) -> None:
    talker = dtalker_model.load()
    pcm, rate_hz = soundfile.read(demo_wav, dtype="int16")
    frames = np.array([frame.weights for frame in talker.push(pcm, rate_hz)])
    jaw = frames[:, INDEX["jawOpen"]]
    widest, narrowest = frames[int(jaw.argmax())], frames[int(jaw.argmin())]
    difference = np.abs(faces(watched, widest) - faces(watched, narrowest)).mean(axis=2)
    assert (difference > 0.05).sum() > 50


def test_the_head_turns_as_its_frames_say(watched: Watched) -> None:
    watched.until("dtalker.stage.neck && Math.abs(dtalker.head[0]) > 0.002")
    yaw, pitch, *angles = watched.value(
        "(() => { const { node } = dtalker.stage.neck, turn = node.rotation.clone().reorder('YXZ');"
        " return [dtalker.head[0], dtalker.head[1], turn.y, turn.x, node.position.length()]; })()"
    )
    assert angles[:2] == pytest.approx([yaw, pitch], abs=1e-3)
    assert angles[2] > 0, "it turns about its neck, not about the ground"


def test_frames_arrive_at_fifty_a_second(watched: Watched) -> None:
    def rate_hz() -> float:
        first = watched.value("({n: dtalker.frames.received, ms: performance.now()})")
        watched.until(f"dtalker.frames.received > {first['n']} + 150")
        last = watched.value("({n: dtalker.frames.received, ms: performance.now()})")
        return 1000 * float(last["n"] - first["n"]) / float(last["ms"] - first["ms"])

    in_time(rate_hz, lambda rate_hz: 47 < rate_hz < 53)


def test_a_slider_reaches_the_engine_and_the_face(watched: Watched, rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    watched.page.locator("#intensity").focus()
    applied: list[float] = []
    change = rig.performer._talker.set

    def timed(**changes: Any) -> None:
        applied.append(1000 * time.time())
        change(**changes)

    def reached_ms() -> np.ndarray:
        applied.clear()
        watched.page.evaluate(MARK_INPUTS)
        for count in range(1, TIMES + 1):
            watched.page.keyboard.press("ArrowRight")
            watched.until(f"dtalker.settings.values.intensity > {1 + 0.0099 * count}")
        reached = np.array(applied) - watched.value("window.inputs")
        watched.page.click("#defaults")
        watched.until("dtalker.settings.values.intensity === 1")
        watched.page.locator("#intensity").focus()
        return reached

    monkeypatch.setattr(rig.performer._talker, "set", timed)
    in_time(reached_ms, lambda reached: bool(np.median(reached) < REACH_MS))
    watched.page.evaluate("() => dtalker.settings.set({offset_lower: 0.8})")
    watched.until(f"dtalker.face[{INDEX['jawOpen']}] > 0.7")
    watched.page.evaluate("() => dtalker.settings.set({offset_lower: 0})")
    watched.until(f"dtalker.face[{INDEX['jawOpen']}] < 0.4")


def test_emotions_are_chosen_and_mixed_with_the_keyboard(watched: Watched) -> None:
    watched.page.locator("#emotion-named [aria-checked=true]").focus()
    watched.page.keyboard.press("ArrowRight")
    watched.until("dtalker.settings.values.emotion !== 'neutral'")
    chosen = watched.value("dtalker.settings.values.emotion")
    assert f"emotion: {chosen}" in watched.page.inner_text("#ros-text")
    watched.page.click("#emotion-mode [data-value=mix]")
    watched.page.locator("#mix-happy").fill("0.5")
    watched.until("dtalker.settings.values.emotion_weights.happy === 0.5")
    watched.page.click("#ros-form [data-value=commands]")
    watched.until("document.getElementById('ros-text').textContent.includes('emotion_weights.happy 0.5')")
    watched.page.click("#defaults")
    watched.until("dtalker.settings.values.emotion === 'neutral'")


def test_steps_and_the_voices_share_are_set(watched: Watched, rig: Rig) -> None:
    card = rig.performer._talker.card
    shown = "[...document.querySelectorAll('#steps [aria-checked=true]')].map((button) => button.textContent).join()"
    watched.until(f"{shown} === '{card.steps}'")
    for count in reversed(card.step_counts):
        watched.page.click(f"#steps [data-value='{count}']")
        watched.until(f"dtalker.settings.values.steps === {count} && {shown} === '{count}'")
    watched.page.locator("#live_share").fill("0.5")
    watched.until("dtalker.settings.values.live_share === 0.5")
    watched.page.click("#defaults")
    watched.until(f"dtalker.settings.values.live_share === 0 && {shown} === '{card.steps}'")


@pytest.mark.parametrize("articulates", [True, False])
def test_articulation_is_moved_where_the_model_learned_it(chromium: Any, rig: Rig, articulates: bool) -> None:
    """The panel alone, without the head: whichever model is shipped."""
    about = json.loads(rig.performer.hello()["about"])
    assert about["model"]["articulates"] == rig.performer._talker.card.articulates
    about["model"]["articulates"] = articulates
    page = chromium.new_page()
    page.goto(f"{rig.server.url}settings.js")
    shown = page.evaluate(PANEL_ALONE, about)
    page.close()
    assert (shown["min"], shown["max"], shown["disabled"]) == ("0.5", "2", not articulates)
    assert ("one articulation alone" in shown["title"]) is not articulates
    assert shown["asked"] == [{"articulation": 1.5}]


def test_joints_are_bars_between_their_limits(chromium: Any, rig: Rig) -> None:
    joints = [
        {"name": "jaw", "low": 0.0, "high": 0.4, "neutral": 0.0, "unit": "rad"},
        {"name": "lip", "low": -0.004, "high": 0.004, "neutral": 0.002, "unit": "m"},
    ]
    page = chromium.new_page()
    page.goto(f"{rig.server.url}settings.js")
    steps = [{"joints": joints}, {"positions": [0.1, -0.002]}, {"positions": [0.4, None]}]
    before, after, some, end = page.evaluate(JOINTS_ALONE, steps)
    page.close()
    assert before and not after, "the section is hidden where there are no joints"
    assert some[0] == ["jaw", "0", "0.4", "0.1", "translateX(0%) scaleX(0.25)", "0.10", False]
    assert some[1] == ["lip", "-0.004", "0.004", "-0.002", "translateX(25%) scaleX(0.5)", "-0.0020", False]
    assert end[0][3:] == ["0.4", "translateX(0%) scaleX(1)", "0.40", True]
    assert end[1][3:] == [None, "translateX(75%) scaleX(0)", "–", False]


def test_sound_and_face_keep_in_step(watched: Watched, rig: Rig) -> None:
    clip = rig.performer._sound
    assert clip is not None
    pcm, rate_hz = (clip.pcm / 32768).astype(np.float32), clip.sample_rate_hz

    def figures() -> dict[str, Any]:
        found = measure(watched, pcm, rate_hz, SYNC_S)
        watched.page.click("#play")
        watched.until("dtalker.clock.kind === 'rest'")
        return found

    def in_step(found: dict[str, Any]) -> bool:
        offset_ms, clock_ms = abs(found["offset_ms"]["mean"]), found["clock_error_ms"]["abs_max"]
        apart_ms = offset_ms, clock_ms, found["each_second_median_abs_max_ms"]
        return all(ms < STEP_MS for ms in apart_ms) and 47 < found["frames_per_s"] < 53

    in_time(figures, in_step)


def test_the_pages_microphone_is_heard(watched: Watched) -> None:
    watched.page.click("#microphone")
    watched.until("dtalker.clock.kind === 'microphone'")
    stream = watched.value("dtalker.clock.stream")
    watched.until(f"dtalker.frames.stream === {stream} && dtalker.frames.newest > 1")
    watched.page.click("#microphone")
    watched.until("dtalker.clock.kind === 'rest'")


def test_a_dropped_file_is_spoken(watched: Watched, demo_wav: Path) -> None:
    watched.page.set_input_files("#file", str(demo_wav))
    watched.until("dtalker.clock.kind === 'clip'")
    assert watched.page.inner_text("#sound-name") == "demo.wav"
    watched.page.click("#play")
    watched.until("dtalker.clock.kind === 'rest'")


def test_everything_has_a_name_and_is_reached_by_keyboard(watched: Watched) -> None:
    unnamed = watched.page.evaluate(
        """() => [...document.querySelectorAll("button, input, select")].filter((control) => {
          const label = control.getAttribute("aria-label") || control.labels?.[0]?.textContent || control.textContent;
          return !label.trim();
        }).map((control) => control.outerHTML)"""
    )
    assert unnamed == []
    watched.page.evaluate("() => document.activeElement.blur()")
    seen = set()
    for _ in range(60):
        watched.page.keyboard.press("Tab")
        seen.add(watched.value("document.activeElement.id || document.activeElement.parentElement.id"))
    sliders = {"intensity", "live_share", "smoothing_ms"}
    assert {"play", "theme", "emotion-mode", "identity", "steps", "ros-copy"} | sliders <= seen


def test_dark_and_light(watched: Watched) -> None:
    background = "getComputedStyle(document.body).backgroundColor"
    before = watched.value(background)
    watched.page.click("#theme")
    after = watched.value(background)
    watched.page.click("#theme")
    assert before != after
    watched.page.emulate_media(color_scheme="dark")


def test_a_phone_sees_the_head_and_all_controls(chromium: Any, rig: Rig) -> None:
    with open_page(chromium, rig.server.url, (390, 844), **PHONE) as phone:
        assert phone.value("document.documentElement.scrollWidth") <= 390
        box = phone.page.locator("#face").bounding_box()
        assert box["width"] == 390 and 300 < box["height"] < 844
        for control in ("#play", "#microphone", "#intensity", "#identity", "#curves", "#ros-copy"):
            phone.page.locator(control).scroll_into_view_if_needed()
            seen = phone.page.locator(control).bounding_box()
            assert seen and seen["x"] >= 0 and seen["x"] + seen["width"] <= 390, control
        assert phone.page.locator("#play").bounding_box()["height"] >= 44
        assert phone.errors == []


def test_the_page_comes_back_when_the_server_does(chromium: Any, demo_wav: Path) -> None:
    with served(demo_wav) as first:
        port = first.server.port
        with open_page(chromium, first.server.url) as page:
            first.server.__exit__()
            page.until("document.getElementById('status').dataset.state === 'lost'")
            with served(demo_wav, Address(port=port)):
                page.until("document.getElementById('status').dataset.state === 'live'")


def test_the_page_asks_no_other_host_and_reports_no_error(watched: Watched, rig: Rig) -> None:
    hosts = {urlsplit(address).netloc for address in watched.addresses if not address.startswith(("blob:", "data:"))}
    assert hosts == {f"127.0.0.1:{rig.server.port}"}
    assert watched.errors == []


def test_a_lost_connection_leaves_the_face_at_rest(chromium: Any) -> None:
    with served(offset_lower=0.6) as fresh, open_page(chromium, fresh.server.url) as watched:
        watched.until("dtalker.face[17] > 0.4")  # jawOpen
        fresh.server.__exit__()
        watched.until("Math.max(...dtalker.face) < 1e-6")
