// Puts the page together: what the server says goes to its parts, and every screen refresh shows the face of its moment.

import { Belief } from "./belief.js";
import { Clock } from "./clock.js";
import { Connection } from "./connection.js";
import { Curves } from "./curves.js";
import { COUNT, Frames, VALUES } from "./frames.js";
import { Joints } from "./joints.js";
import { Microphone } from "./microphone.js";
import { Panel } from "./panel.js";
import { RosText } from "./ros_text.js";
import { Settings } from "./settings.js";
import { Sound } from "./sound.js";
import { Stage } from "./stage.js";
import { followTheme } from "./theme.js";
import { Transport } from "./transport.js";

const $ = (id) => document.getElementById(id);
const TOLD_EVERY_MS = 500;
const NOTICE_MS = 6000;

const connection = new Connection();
const frames = new Frames();
const sound = new Sound();
const clock = new Clock(sound, frames);
const settings = new Settings(connection);
const stage = new Stage($("face"));
const transport = new Transport(connection, sound, clock, notice);
const microphone = new Microphone($("microphone"), connection, notice);
const belief = new Belief($("belief"), $("speaking"));
const joints = new Joints($("joints-section"), $("joints"));
const ros = new RosText($("ros-form"), $("ros-text"), $("ros-copy"));
let panel = null, curves = null, noticeTimer = 0;

function notice(text) {
  clearTimeout(noticeTimer);
  $("notice").textContent = text;
  $("notice").hidden = !text;
  noticeTimer = setTimeout(() => { $("notice").hidden = true; }, NOTICE_MS);
}

function onAbout(about) {
  panel = new Panel(settings, about);
  transport.offer(about.can);
  $("microphone").hidden = !about.can.includes("microphone");
  $("model-name").textContent = about.model.name;
  $("model-name").title = about.model.licence;
  $("model-lookahead").textContent = `${about.model.lookahead_ms} ms`;
}

const STATES = { rest: "at rest", clip: "speaking", microphone: "listening", topic: "following the topic" };
function onStream(stream) {
  clock.begin(stream);
  if (stream.kind !== "microphone") microphone.ended();
  $("status-text").textContent = STATES[stream.kind];
}

function onState({ state }) {
  $("status").dataset.state = state;
  if (state !== "lost") return;
  $("status-text").textContent = "connection lost, trying again";
  frames.rest();
}

const on = (type, handle) => connection.addEventListener(type, ({ detail }) => handle(detail));
on("state", onState);
on("about", onAbout);
on("stream", onStream);
on("clock", (detail) => { if (detail.stream === clock.stream) clock.begin(detail); });
on("sound", (detail) => transport.take(detail));
on("belief", (detail) => belief.show(detail));
on("joints", (detail) => joints.offer(detail));
on("positions", (detail) => joints.move(detail));
on("notice", ({ text }) => notice(text));
on("refused", ({ reason }) => notice(reason));
on("frame", (frame) => { frames.add(frame); clock.arrived(frame); });
on("audio", (piece) => { if (piece.stream === clock.stream) sound.piece(piece); });
settings.addEventListener("change", ({ detail }) => {
  panel?.show(detail.settings);
  ros.take(detail);
  const { identity, emotion, live_share } = detail.settings;
  belief.followed = [identity, emotion].includes("live") || live_share > 0;
});
settings.addEventListener("reached", ({ detail }) => { $("reach").textContent = `${detail.toFixed(0)} ms`; });

const values = new Float32Array(VALUES);
const face = values.subarray(0, COUNT), head = values.subarray(COUNT);
const measured = { offsets: [], refreshes: 0 };
let before = { ms: 0, time: NaN }, refreshMs = 16, told = { ms: 0, received: 0 };

/** A refresh is on the screen at the next one: draw the moment of that, and compare when it has come. */
function refresh(ms) {
  requestAnimationFrame(refresh);
  const offset = clock.shown(before.time, ms);
  if (offset !== null && measured.offsets.length < 100_000) measured.offsets.push(1000 * offset);
  refreshMs += 0.1 * (Math.min(ms - before.ms, 300) - refreshMs);
  measured.refreshes += 1;
  const time = clock.at(ms + refreshMs);
  before = { ms, time: time === null ? NaN : frames.at(time, values) };
  stage.draw(face, head);
  curves?.add(face, ms);
  if (measured.refreshes % 4 === 0) transport.tick();
  if (ms - told.ms > TOLD_EVERY_MS) {
    tell(ms);
    stage.pace(refreshMs);
  }
}

function tell(ms) {
  const rate = (1000 * (frames.received - told.received)) / (ms - told.ms);
  told = { ms, received: frames.received };
  $("rate").textContent = `${rate.toFixed(0)} in, ${(1000 / refreshMs).toFixed(0)} drawn`;
  const offset = clock.offsetMs;
  $("offset").textContent = offset === null ? "no sound" : `${offset < 0 ? "−" : "+"}${Math.abs(offset).toFixed(0)} ms`;
}

followTheme($("theme"), (dark) => { stage.setDark(dark); curves?.themed(); transport.themed(); });
$("recentre").onclick = () => stage.recentre();
document.addEventListener("keydown", (event) => {
  if (event.code === "Space" && event.target === document.body) { event.preventDefault(); $("play").click(); }
});
// Browsers let a page sound only after somebody touched it; then a running clip joins in.
for (const type of ["pointerdown", "keydown"]) addEventListener(type, () => sound.unlock(), { once: true });

const avatar = await (await fetch("avatar.json")).json();
curves = new Curves($("curves"), $("curve-keys"), $("curve-add"), avatar.blendshapes);
requestAnimationFrame(refresh);
connection.open();
stage.load("avatar.glb", avatar.morphs).catch((error) => notice(`The head cannot be loaded: ${error.message}`));

/** For the console, and for the tests that run the page in a real browser. */
window.dtalker = { clock, connection, face, frames, head, measured, settings, sound, stage };
