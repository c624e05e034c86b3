// The event store: how much, how fast, who lags, what is parked, and the log as it grows.
import { get, post, remove } from "/console/api.js";
import { auditCard } from "/console/audit.js";
import { bars, card, el, meter, spark, table } from "/console/draw.js";
import { locale, w } from "/console/words.js";

const maxTail = 60;
const maxHistory = 60;
const topTypes = 10;
const lags = new Map(); // lag of each shard, look after look
const tail = { source: null, rows: [], type: "" };

const count = (n, exact = true) => (exact ? "" : "≈ ") + n.toLocaleString(locale());
const clock = (iso) => new Date(iso).toLocaleTimeString(locale());
const number = (...content) => el("td", { class: "number" }, ...content);
const figure = (text) => el("th", { scope: "col", class: "number" }, text);
const badge = (text, tint) => el("span", { class: `badge ${tint}` }, text);
const short = (stream) => stream.replace(/[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}([0-9a-f]{8})$/, "…$1");
export const stateTint = { running: "good", rebuilding: "warn", paused: "warn", standingby: "soft", stopped: "soft", retrying: "bad" };

function bytes(n) {
  const units = ["B", "KiB", "MiB", "GiB", "TiB"];
  let unit = 0;
  for (; n >= 1024 && unit < units.length - 1; unit++) n /= 1024;
  return `${n.toLocaleString(locale(), { maximumFractionDigits: unit ? 1 : 0 })} ${units[unit]}`;
}

function age(seconds) {
  if (seconds < 1) return "0 s";
  if (seconds < 60) return `${Math.round(seconds)} s`;
  return seconds < 3600 ? `${Math.floor(seconds / 60)} ${w("minuteShort")} ${Math.round(seconds % 60)} s` : `${Math.floor(seconds / 3600)} ${w("hourShort")} ${Math.floor((seconds % 3600) / 60)} ${w("minuteShort")}`;
}

// A button that cannot be pressed twice, and says beside it why it was refused.
export function button(text, run, tint = "") {
  const press = async (e) => {
    e.target.disabled = true;
    e.target.parentNode.querySelector(".refusal")?.remove();
    try {
      await run();
      dispatchEvent(new Event("hashchange"));
    } catch (problem) {
      e.target.parentNode.append(el("small", { class: "bad refusal" }, ` ${problem.message}`));
      e.target.disabled = false;
    }
  };
  return el("button", { type: "button", class: tint, onclick: press }, text);
}

export async function storePage() {
  const [stats, projections, health] = await Promise.all([get("/events/stats"), get("/projections"), fetch("/health/ready").then((r) => r.json())]);
  const rebuilds = await Promise.all(projections.filter((p) => p.state === "rebuilding").map((p) => get(`/projections/${encodeURIComponent(p.name)}/rebuild`)));
  const parked = await Promise.all(projections.filter((p) => p.parked > 0).map(async (p) => [p.name, await get(`/projections/${encodeURIComponent(p.name)}/parked?limit=20`)]));
  for (const p of projections) lags.set(p.name, [...(lags.get(p.name) ?? []), p.lag].slice(-maxHistory));
  const node = el("div", {},
    findings(health),
    tiles(stats),
    card(w("rate"), bars(stats.rates.per_minute.map((p) => ({ at: p.minute, value: p.events })), locale())),
    card(w("shards"), shards(projections, rebuilds)),
    parked.length ? card(w("parkedEvents"), ...parked.map(([name, rows]) => parkedTable(name, rows))) : null,
    el("div", { class: "grid" }, card(w("eventTypes"), types(stats)), card(w("tables"), sizes(stats))),
    auditCard(),
    card(w("liveTail"), tailBox()));
  return { node, concerns: () => false, every: 5000, shown: openTail, left: closeTail };
}

function findings(health) {
  const check = health.checks.find((c) => c.name === "event_store");
  if (!check || check.status === "healthy") return null;
  return el("section", { class: `card finding ${check.status === "degraded" ? "warn" : "bad"}` }, el("h2", {}, w(check.status)), ...check.description.split(/ (?=\[store\.)/).map((line) => el("p", {}, line)));
}

function tiles(s) {
  const all = [
    [count(s.events.count, s.events.exact), w("events")], [count(s.streams.count, s.streams.exact), w("streams")], [count(s.tenants.counts.length, s.tenants.exact), w("tenants")],
    [count(s.rates.last_minute), w("lastMinute")], [count(s.rates.last_hour), w("lastHour")], [count(s.high_water), w("highWater")], [count(s.skipped.numbers), w("holes")],
    [s.append_queue ? `${s.append_queue.waiting}` : "-", w("appendQueue")], [bytes(s.tables.reduce((sum, t) => sum + t.table_bytes + t.index_bytes, 0)), w("size")],
  ];
  return el("div", { class: "tiles figures" }, all.map(([value, label]) => el("div", { class: "tile" }, el("b", {}, value), el("span", {}, label))));
}

// They follow the log like read models, but have no rows that could be built anew.
export const readers = new Set(["relay", "Notary"]);

function shards(projections, rebuilds) {
  const rows = projections.map((p) => {
    const rebuild = rebuilds.find((r) => r.name === p.name);
    const path = `/projections/${encodeURIComponent(p.name)}`;
    const act = p.pause ? button(w("resume"), () => post(`${path}/resume`)) : button(w("pause"), () => post(`${path}/pause?reason=console`));
    const again = button(w("rebuild"), () => post(`${path}/rebuild`));
    return el("tr", {},
      el("td", {}, p.name), el("td", {}, badge(w(p.state), stateTint[p.state] ?? "soft"), p.pause?.reason ? el("small", { class: "soft" }, ` ${p.pause.reason}`) : null, p.last_error ? el("small", { class: "bad" }, ` ${p.last_error}`) : null),
      number(count(p.position)), number(count(p.lag)), number(p.behind_seconds > 0 ? age(p.behind_seconds) : "-"),
      el("td", {}, rebuild ? meter(rebuild.position / Math.max(1, rebuild.target), `${Math.floor((100 * rebuild.position) / Math.max(1, rebuild.target))} %${rebuild.remaining_seconds ? `, ${age(rebuild.remaining_seconds)}` : ""}`) : spark(lags.get(p.name))),
      number(p.parked ? badge(String(p.parked), "warn") : "0"), el("td", { class: "actions" }, act, readers.has(p.name) ? null : again));
  });
  return table([w("name"), w("state"), figure(w("position")), figure(w("lag")), figure(w("behind")), w("lagTrend"), figure(w("parked")), ""], rows);
}

function parkedTable(name, rows) {
  const path = (p) => `/projections/${encodeURIComponent(name)}/parked/${p.position}`;
  return el("div", {}, el("h2", {}, name), table([figure(w("position")), w("type"), w("parkedAt"), w("reason"), ""], rows.map((p) => el("tr", {},
    number(count(p.position)), el("td", {}, p.event_type, el("br"), el("small", { class: "soft" }, p.tenant)), el("td", { class: "when" }, new Date(p.parked_at).toLocaleString(locale())),
    el("td", {}, el("small", {}, `${p.error_type}: ${p.error_message}`)), el("td", { class: "actions" }, button(w("retry"), () => retry(path(p))), button(w("discard"), () => remove(path(p)), "danger"))))));
}

async function retry(path) {
  const { outcome, why } = await post(`${path}/retry`);
  if (outcome !== "applied") throw new Error(why ?? outcome);
}

function types(s) {
  const all = s.types.counts;
  const most = Math.max(1, ...all.map((t) => t.count));
  const rest = all.slice(topTypes).reduce((sum, t) => sum + t.count, 0);
  const row = (name, n) => el("tr", {}, el("td", {}, name), number(count(n, s.types.exact)), el("td", { class: "bar" }, meter(n / most)));
  return table([w("type"), figure(w("events")), ""], [...all.slice(0, topTypes).map((t) => row(t.name, t.count)), ...(rest ? [row(`+ ${all.length - topTypes}`, rest)] : [])]);
}

function sizes(s) {
  return table([w("table"), figure(w("rows")), figure(w("data")), figure(w("indexes"))], s.tables.filter((t) => t.table_bytes + t.index_bytes > 0).slice(0, topTypes + 1)
    .map((t) => el("tr", {}, el("td", {}, t.name), number(t.estimated_rows < 0 ? "-" : `≈ ${t.estimated_rows.toLocaleString(locale())}`), number(bytes(t.table_bytes)), number(bytes(t.index_bytes)))));
}

function tailBox() {
  const filter = el("input", { value: tail.type, placeholder: "call.*", "aria-label": w("filterType"), onchange: (e) => follow(e.target.value.trim()) });
  return el("div", {}, el("p", {}, el("label", {}, `${w("filterType")} `, filter)), el("div", { class: "tail", id: "tail" }, tail.rows.map(line)));
}

function line(e) {
  return el("details", {}, el("summary", {}, el("span", { class: "soft" }, `${clock(e.recorded_at)}  ${e.position}  ${e.tenant}  `), el("b", {}, e.type), el("span", { class: "soft" }, `  ${short(e.stream)} v${e.version}${e.actor ? `  ${e.actor}` : ""}`)), el("pre", {}, JSON.stringify(e.data, null, 2)));
}

function openTail() {
  if (!tail.source) follow(tail.type);
}

function closeTail() {
  tail.source?.close();
  tail.source = null;
}

// The newest on top; from a moment ago on, so that the box is not empty.
function follow(type) {
  closeTail();
  Object.assign(tail, { type, rows: [] });
  document.getElementById("tail")?.replaceChildren();
  const since = new Date(Date.now() - 10 * 60 * 1000).toISOString();
  tail.source = new EventSource(`/v1/events/tail?tenant=*&since=${since}${type ? `&type=${encodeURIComponent(type)}` : ""}`);
  tail.source.addEventListener("event", (e) => {
    tail.rows.unshift(JSON.parse(e.data));
    tail.rows.length = Math.min(tail.rows.length, maxTail);
    const box = document.getElementById("tail");
    box?.prepend(line(tail.rows[0]));
    while (box && box.children.length > maxTail) box.lastChild.remove();
  });
}
