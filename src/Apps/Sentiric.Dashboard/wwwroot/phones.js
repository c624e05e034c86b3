// The telephones: which extension is registered, from where and for how long, and which is not.
import { get, remove } from "/console/api.js";
import { card, el, table } from "/console/draw.js";
import { locale, w } from "/console/words.js";

const most = 500;
const states = ["", "registered", "not_registered"];
const badge = (text, tint) => el("span", { class: `badge ${tint}` }, text);
const number = (text) => el("td", { class: "number when" }, text);
let shows = ""; // one of the states; stays while the page looks again

function span(seconds) {
  if (seconds < 60) return `${Math.max(0, Math.round(seconds))} s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} ${w("minuteShort")} ${Math.round(seconds % 60)} s`;
  if (seconds < 86400) return `${Math.floor(seconds / 3600)} ${w("hourShort")} ${Math.floor((seconds % 3600) / 60)} ${w("minuteShort")}`;
  return `${Math.floor(seconds / 86400)} ${w("dayShort")} ${Math.floor((seconds % 86400) / 3600)} ${w("hourShort")}`;
}

export async function phonesPage() {
  const { items: all, next } = await get(`/registrations?limit=${most}`);
  const items = !shows ? all : next ? (await get(`/registrations?limit=${most}&state=${shows}`)).items : all.filter((r) => r.state === shows);
  const extensions = new Set(all.map(key)).size;
  const there = all.filter((r) => r.state === "registered");
  const missing = all.length - there.length;
  const tiles = [[extensions, w("extensions")], [there.length, w("registeredPhones")], [missing, w("not_registered")]];
  const choice = states.map((state) => el("button", { type: "button", "aria-pressed": String(state === shows), class: state === shows ? "chosen" : "", onclick: () => choose(state) }, w(state || "allPhones")));
  return {
    node: el("div", {},
      el("div", { class: "tiles" }, tiles.map(([value, label]) => el("div", { class: "tile" }, el("b", {}, `${value}${next ? "+" : ""}`), el("span", {}, label)))),
      card(w("phones"), el("p", { class: "choice" }, choice), items.length ? list(items) : el("p", { class: "empty" }, w(shows === "not_registered" ? "nobodyMissing" : shows ? "nobodyRegistered" : "noExtensions")),
        next ? el("p", { class: "soft" }, w("morePhones")) : null)),
    concerns: () => false,
    every: 5000,
  };
}

const key = (r) => `${r.extension}@${r.realm}`;

function choose(state) {
  shows = state;
  dispatchEvent(new Event("hashchange"));
}

function list(items) {
  const figure = (text) => el("th", { scope: "col", class: "number" }, text);
  return table([w("extension"), w("name"), w("state"), w("address"), w("source"), w("userAgent"), figure(w("registeredFor")), figure(w("timeLeft")), ""], items.map(row));
}

function row(r) {
  const source = r.source_address && `${r.transport} ${r.source_address.includes(":") ? `[${r.source_address}]` : r.source_address}:${r.source_port}`;
  // Both by the platform's clock, whatever this machine's says.
  const since = r.registered_at && (new Date(r.expires_at) - new Date(r.registered_at)) / 1000 - r.expires_in_seconds;
  return el("tr", {},
    el("td", { class: "when" }, r.extension), el("td", {}, r.user_name), el("td", {}, state(r)),
    el("td", { title: r.call_id ? `Call-ID ${r.call_id}` : undefined }, r.contact ?? ""), el("td", { class: "when" }, source ?? ""), el("td", {}, r.user_agent ?? ""),
    number(since === undefined ? "" : el("span", { title: new Date(r.registered_at).toLocaleString(locale()) }, span(since))),
    number(r.expires_at ? el("span", { title: new Date(r.expires_at).toLocaleString(locale()) }, span(r.expires_in_seconds)) : ""),
    el("td", { class: "actions" }, r.id ? thrower(r.id) : null));
}

function state(r) {
  const why = r.disabled ? w("userDisabled") : r.foreign_realm ? `${w("otherRealm")} ${r.realm}` : null;
  const tint = r.state === "registered" ? (r.disabled ? "warn" : "good") : r.disabled ? "soft" : "bad";
  return [badge(w(r.state), tint), why ? el("small", { class: "soft" }, ` ${why}`) : null];
}

function thrower(id) {
  const press = async (e) => {
    if (!confirm(w("throwOutSure"))) return;
    e.target.disabled = true;
    try {
      await remove(`/registrations/${encodeURIComponent(id)}`);
      dispatchEvent(new Event("hashchange"));
    } catch (problem) {
      e.target.title = problem.message;
      e.target.classList.add("bad");
      e.target.disabled = false;
    }
  };
  return el("button", { type: "button", class: "danger", onclick: press }, w("throwOut"));
}
