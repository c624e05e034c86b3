// Beside a live call: its sound over a WebSocket, and the supervisor's microphone back. One at a time; it outlives a redraw of the page.
import { el } from "/console/draw.js";
import { w } from "/console/words.js";

const rate = 8000;
const cushionSeconds = 0.15; // what the network may be late by before it stutters
const modes = ["listen", "whisper", "join"];
let ear = null;

export function earOf(id, redraw) {
  const here = ear?.id === id ? ear : null;
  if (!here) return el("p", {}, el("button", { type: "button", onclick: () => start(id, redraw) }, w("listen")));
  here.redraw = redraw; // the page may have been drawn anew since
  const buttons = modes.map((mode) => el("button", {
    type: "button", "aria-pressed": String(here.mode === mode), disabled: mode === "whisper" && !here.bridged, onclick: () => use(mode),
  }, w(mode === "listen" ? "listenOnly" : mode)));
  return el("div", { class: "ear" },
    el("p", {}, buttons, " ", el("button", { type: "button", class: "danger", onclick: stop }, w("stopListening"))),
    el("p", { class: here.refused ? "bad" : "soft", role: "status" }, here.refused ? `${w("failed")}: ${here.refused}` : w(here.open ? `${here.mode}Says` : "connecting")));
}

export function stopUnless(id) {
  if (ear && ear.id !== id) stop();
}

function start(id, redraw) {
  stop();
  const socket = new WebSocket(`${location.origin.replace(/^http/, "ws")}/v1/calls/${id}/listen`);
  socket.binaryType = "arraybuffer";
  ear = { id, socket, redraw, mode: "listen", bridged: false, open: false, refused: null, out: new AudioContext(), next: 0, mic: null };
  const mine = ear;
  socket.onmessage = (message) => (typeof message.data === "string" ? stand(mine, JSON.parse(message.data)) : play(mine, message.data));
  socket.onclose = () => {
    if (ear === mine) stop();
  };
  redraw();
}

export function stop() {
  if (!ear) return;
  const { socket, out, redraw } = ear;
  closeMic(ear);
  ear = null;
  socket.close();
  out.close();
  redraw();
}

function stand(mine, { mode, bridged, refused }) {
  Object.assign(mine, { mode, bridged, refused: refused ?? null, open: true });
  if (mode === "listen") closeMic(mine);
  mine.redraw();
}

// What is heard: the caller left, what the caller hears right. A gap or a jam begins anew behind the cushion.
function play(mine, data) {
  const both = new Int16Array(data);
  const frames = both.length / 2;
  const buffer = mine.out.createBuffer(2, frames, rate);
  for (let side = 0; side < 2; side++) {
    const samples = buffer.getChannelData(side);
    for (let i = 0; i < frames; i++) samples[i] = both[2 * i + side] / 32768;
  }
  const now = mine.out.currentTime;
  if (mine.next < now || mine.next > now + 4 * cushionSeconds) mine.next = now + cushionSeconds;
  const source = mine.out.createBufferSource();
  source.buffer = buffer;
  source.connect(mine.out.destination);
  source.start(mine.next);
  mine.next += frames / rate;
  mine.played = (mine.played ?? 0) + frames;
}

async function use(mode) {
  const mine = ear;
  try {
    if (mode !== "listen" && !mine.mic) await openMic(mine);
    if (ear === mine) mine.socket.send(JSON.stringify({ mode }));
  } catch (problem) {
    mine.refused = problem.message;
    mine.redraw();
  }
}

// The browser resamples: a context of 8 kHz hands out what the call needs.
async function openMic(mine) {
  const stream = await navigator.mediaDevices.getUserMedia({ audio: { echoCancellation: true, noiseSuppression: true, channelCount: 1 } });
  const context = new AudioContext({ sampleRate: rate });
  mine.mic = { stream, context };
  await context.audioWorklet.addModule("/console/mic.js");
  const node = new AudioWorkletNode(context, "mic");
  node.port.onmessage = ({ data }) => {
    if (mine.socket.readyState === WebSocket.OPEN && mine.mode !== "listen") mine.socket.send(data);
  };
  context.createMediaStreamSource(stream).connect(node);
}

function closeMic(mine) {
  mine.mic?.stream.getTracks().forEach((track) => track.stop());
  mine.mic?.context.close();
  mine.mic = null;
}

// For whoever asks the page how it goes.
export const heardSeconds = () => (ear?.played ?? 0) / rate;
