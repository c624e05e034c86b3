// Elements and pictures. Text always goes in as text, never as HTML.
export function el(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else if (value !== undefined && value !== null && value !== false) node.setAttribute(name, value === true ? "" : value);
  }
  node.append(...children.flat().filter((c) => c !== null && c !== undefined));
  return node;
}

export function svg(tag, attributes = {}, ...children) {
  const node = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  node.append(...children.flat());
  return node;
}

export function table(heads, rows) {
  return el("table", {}, el("thead", {}, el("tr", {}, heads.map((h) => (h instanceof HTMLElement ? h : el("th", { scope: "col" }, h))))), el("tbody", {}, rows));
}

export function card(title, ...content) {
  return el("section", { class: "card" }, el("h2", {}, title), ...content);
}

const color = (name) => getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();

// The SIP ladder: two life lines, one arrow a message, time at the left.
export function ladder(messages) {
  const [step, top, left, right] = [30, 34, 110, 470];
  const height = top + messages.length * step + 10;
  const start = messages.length ? Date.parse(messages[0].at) : 0;
  const parts = [
    svg("text", { x: left, y: 16, "text-anchor": "middle" }, messages[0]?.remote ?? ""),
    svg("text", { x: right, y: 16, "text-anchor": "middle" }, "Sentiric"),
    svg("line", { x1: left, y1: 22, x2: left, y2: height, stroke: color("edge") }),
    svg("line", { x1: right, y1: 22, x2: right, y2: height, stroke: color("edge") }),
  ];
  messages.forEach((m, i) => {
    const y = top + i * step + 12;
    const [from, to] = m.inbound ? [left, right] : [right, left];
    const head = m.inbound ? -8 : 8;
    parts.push(
      svg("line", { x1: from, y1: y, x2: to, y2: y, stroke: color(m.inbound ? "caller" : "agent"), "stroke-width": 1.5 }),
      svg("path", { d: `M ${to} ${y} l ${head} -4 l 0 8 z`, fill: color(m.inbound ? "caller" : "agent") }),
      svg("text", { x: (left + right) / 2, y: y - 5, "text-anchor": "middle" }, m.summary.length > 48 ? m.summary.slice(0, 47) + "…" : m.summary),
      svg("text", { x: 6, y: y + 4, class: "soft" }, `+${((Date.parse(m.at) - start) / 1000).toFixed(3)} s`),
    );
  });
  return svg("svg", { viewBox: `0 0 560 ${height}`, role: "img" }, parts);
}

// Who spoke when: caller above, agent below.
export function timeline(lines, totalMs) {
  const [width, left] = [1000, 80];
  const scale = (ms) => left + (ms / Math.max(totalMs, 1)) * (width - left - 10);
  const row = { caller: 22, agent: 58 };
  const parts = lines.map((l) =>
    svg("rect", { x: scale(l.offset_ms), y: row[l.speaker], width: Math.max(3, scale(l.offset_ms + l.duration_ms) - scale(l.offset_ms)), height: 24, rx: 4, fill: color(l.speaker), opacity: 0.8 },
      svg("title", {}, l.text)));
  const seconds = totalMs / 1000;
  const every = seconds > 120 ? 30 : seconds > 40 ? 10 : 5;
  for (let s = 0; s <= seconds; s += every) {
    parts.push(svg("line", { x1: scale(s * 1000), y1: 16, x2: scale(s * 1000), y2: 88, stroke: color("edge") }), svg("text", { x: scale(s * 1000), y: 102, class: "soft", "text-anchor": "middle" }, `${s} s`));
  }
  return { node: svg("svg", { viewBox: `0 0 ${width} 108`, role: "img" }, parts), left, label: (text, y) => svg("text", { x: 4, y }, text) };
}

// Stacked bars: where the time of each turn went.
export function latencyBars(turns, names) {
  const stages = [["end_of_speech_ms", "soft"], ["recognize_ms", "caller"], ["think_ms", "warn"], ["speak_ms", "agent"]];
  const [row, left, width] = [26, 30, 580];
  const most = Math.max(800, ...turns.map((t) => t.latency.total_ms));
  const parts = [];
  turns.forEach((t, i) => {
    let x = left;
    const y = 8 + i * row;
    parts.push(svg("text", { x: 4, y: y + 14, class: "soft" }, `${t.turn}`));
    for (const [field, tint] of stages) {
      const w = (t.latency[field] / most) * (width - left - 90);
      parts.push(svg("rect", { x, y, width: Math.max(w, 0), height: 18, fill: color(tint), opacity: 0.85 }, svg("title", {}, `${names[field]}: ${t.latency[field]} ms`)));
      x += w;
    }
    parts.push(svg("text", { x: x + 6, y: y + 14 }, `${t.latency.total_ms} ms`));
  });
  const y = 14 + turns.length * row;
  let x = left;
  for (const [field, tint] of stages) {
    parts.push(svg("rect", { x, y, width: 12, height: 12, fill: color(tint) }), svg("text", { x: x + 17, y: y + 11, class: "soft" }, names[field]));
    x += 130;
  }
  return svg("svg", { viewBox: `0 0 ${width} ${y + 20}`, role: "img" }, parts);
}

// One bar a minute; a moment's label every ten.
export function bars(points, locale) {
  const most = Math.max(1, ...points.map((p) => p.value));
  // The largest number stands at the axis as a whole.
  const [width, height, left, foot] = [1000, 150, Math.max(46, 12 + 8 * most.toLocaleString(locale).length), 20];
  const step = (width - left) / Math.max(1, points.length);
  const y = (value) => (height - foot - 8) * (1 - value / most) + 8;
  const parts = [0, most / 2, most].filter((v) => v === 0 || most > 1 || v === most).flatMap((v) => [
    svg("line", { x1: left, y1: y(v), x2: width, y2: y(v), stroke: color("edge") }),
    svg("text", { x: left - 6, y: y(v) + 4, class: "soft", "text-anchor": "end" }, Math.round(v).toLocaleString(locale)),
  ]);
  points.forEach((p, i) => {
    const time = new Date(p.at).toLocaleTimeString(locale, { hour: "2-digit", minute: "2-digit" });
    if (p.value > 0) parts.push(svg("rect", { x: left + i * step + 1, y: Math.min(y(p.value), y(0) - 2), width: Math.max(1, step - 2), height: Math.max(2, y(0) - y(p.value)), rx: 1.5, fill: color("accent") }, svg("title", {}, `${time}: ${p.value.toLocaleString(locale)}`)));
    if (new Date(p.at).getMinutes() % 10 === 0) parts.push(svg("text", { x: left + i * step, y: height - 4, class: "soft", "text-anchor": "middle" }, time));
  });
  return svg("svg", { viewBox: `0 0 ${width} ${height}`, role: "img" }, parts);
}

// A line without axes: is it rising or falling?
export function spark(values) {
  const [width, height] = [110, 22];
  const most = Math.max(1, ...values);
  const points = values.map((v, i) => `${2 + (i / Math.max(1, values.length - 1)) * (width - 4)},${height - 2 - (v / most) * (height - 4)}`);
  const flat = points.length < 2 ? [`2,${height - 2}`, `${width - 2},${height - 2}`] : points;
  return svg("svg", { viewBox: `0 0 ${width} ${height}`, width, height, role: "img" }, svg("polyline", { points: flat.join(" "), fill: "none", stroke: color(values.at(-1) > 0 ? "warn" : "good"), "stroke-width": 1.5 }));
}

// A share of a whole, with words in it.
export function meter(share, words = "") {
  const fill = el("i", {});
  fill.style.width = `${Math.min(100, Math.max(0, share * 100))}%`;
  return el("div", { class: words ? "meter words" : "meter" }, fill, el("span", {}, words));
}

// Both channels of the recording, caller above, agent below.
export function waveform(canvas, { caller, agent }) {
  const ratio = window.devicePixelRatio || 1;
  canvas.width = canvas.clientWidth * ratio;
  canvas.height = canvas.clientHeight * ratio;
  const context = canvas.getContext("2d");
  const half = canvas.height / 2;
  [caller, agent].forEach((peaks, channel) => {
    context.fillStyle = color(channel === 0 ? "caller" : "agent");
    const middle = half / 2 + channel * half;
    for (let x = 0; x < canvas.width; x++) {
      const [from, to] = [Math.floor((x * peaks.length) / canvas.width), Math.floor(((x + 1) * peaks.length) / canvas.width)];
      const h = Math.max(1, Math.max(0, ...peaks.slice(from, Math.max(to, from + 1))) * half);
      context.fillRect(x, middle - h / 2, 1, h);
    }
  });
}

// The same from the audio itself, where the platform does not make peaks (FLAC).
export async function peaksOf(url) {
  const audio = await new OfflineAudioContext(2, 1, 8000).decodeAudioData(await (await fetch(url)).arrayBuffer());
  const step = 160;
  const peaks = (samples) => Array.from({ length: Math.ceil(samples.length / step) }, (_, i) => samples.subarray(i * step, (i + 1) * step).reduce((most, v) => Math.max(most, Math.abs(v)), 0));
  return { caller: peaks(audio.getChannelData(0)), agent: peaks(audio.getChannelData(Math.min(1, audio.numberOfChannels - 1))) };
}

// Loss as bars, jitter as a line, over the time of the call.
export function packets(intervals, words) {
  const [width, height, left, foot] = [1000, 130, 46, 20];
  const end = Math.max(1, ...intervals.map((i) => i.to_ms));
  const share = (i) => (100 * i.lost) / Math.max(1, i.received + i.lost);
  const mostLoss = Math.max(5, ...intervals.map(share));
  const mostJitter = Math.max(20, ...intervals.map((i) => i.jitter_ms));
  const x = (ms) => left + ((width - left) * ms) / end;
  const y = (part) => (height - foot - 8) * (1 - part) + 8;
  const told = (i) => `${(i.from_ms / 1000).toFixed(0)} – ${(i.to_ms / 1000).toFixed(0)} s: ${words.loss} ${share(i).toFixed(1)} % (${i.lost}), ${words.jitter} ${i.jitter_ms.toFixed(1)} ms, MOS ${i.mos.toFixed(2)}`;
  const parts = [0, 1].flatMap((v) => [
    svg("line", { x1: left, y1: y(v), x2: width, y2: y(v), stroke: color("edge") }),
    svg("text", { x: left - 6, y: y(v) + 4, class: "soft", "text-anchor": "end" }, v === 0 ? "0" : `${mostLoss.toFixed(0)} %`),
  ]);
  parts.push(svg("text", { x: width, y: height - 4, class: "soft", "text-anchor": "end" }, `${words.jitter} 0 – ${mostJitter.toFixed(0)} ms`));
  intervals.forEach((i) => parts.push(svg("rect", { class: "loss", x: x(i.from_ms) + 1, y: y(share(i) / mostLoss), width: Math.max(1, x(i.to_ms) - x(i.from_ms) - 2), height: Math.max(1, y(0) - y(share(i) / mostLoss)), fill: color(share(i) > 5 ? "bad" : share(i) > 1 ? "warn" : "good") }, svg("title", {}, told(i)))));
  parts.push(svg("polyline", { points: intervals.map((i) => `${(x(i.from_ms) + x(i.to_ms)) / 2},${y(i.jitter_ms / mostJitter)}`).join(" "), fill: "none", stroke: color("accent"), "stroke-width": 1.5 }));
  return svg("svg", { viewBox: `0 0 ${width} ${height}`, role: "img" }, parts);
}
