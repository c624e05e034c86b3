// Is the log as it was signed: a verification on demand, what was removed and who ordered that.
import { card, el, meter, table } from "/console/draw.js";
import { locale, w } from "/console/words.js";

const audit = { source: null, step: null, verdict: null, refused: null }; // stays while the page looks again
const tint = { ordered: "good", before_orders: "warn", not_ordered: "bad" };
const count = (n) => n.toLocaleString(locale());
const moment = (iso) => new Date(iso).toLocaleString(locale());
const badge = (text, name) => el("span", { class: `badge ${name}` }, text);
const number = (text) => el("td", { class: "number" }, text);

export function auditCard() {
  return card(w("audit"), el("div", { id: "audit" }, parts()));
}

function redraw() {
  document.getElementById("audit")?.replaceChildren(...parts().filter((p) => p));
}

function parts() {
  const { source, step, verdict, refused } = audit;
  return [
    el("p", {}, el("button", { type: "button", disabled: source !== null, onclick: verify }, w("verify"))),
    source ? meter(step?.total ? step.done / step.total : 0, `${w("verifying")} ${step ? `${step.phase} ${count(step.done)}` : ""}`) : null,
    refused ? el("p", { class: "bad" }, refused) : null,
    ...(verdict ? result(verdict) : source ? [] : [el("p", { class: "soft" }, w("verifyWhat"))]),
  ];
}

function verify() {
  stop();
  Object.assign(audit, { step: null, verdict: null, refused: null, source: new EventSource("/v1/events/audit/verify") });
  const ends = (change) => (e) => {
    stop();
    Object.assign(audit, change(e));
    redraw();
  };
  audit.source.addEventListener("progress", (e) => {
    audit.step = JSON.parse(e.data);
    redraw();
  });
  audit.source.addEventListener("verdict", ends((e) => ({ verdict: JSON.parse(e.data) })));
  audit.source.addEventListener("refused", ends((e) => ({ refused: JSON.parse(e.data).detail })));
  // It would ask for another verification by itself.
  audit.source.onerror = ends(() => ({ refused: w("verifyBroke") }));
  redraw();
}

function stop() {
  audit.source?.close();
  audit.source = null;
}

function result(v) {
  const all = `${count(v.events)} ${w("eventsCompared")}, ${count(v.pending)} ${w("notYetSigned")}`;
  return [
    el("p", {}, v.sound ? badge(w("asSigned"), "good") : badge(`${w("notAsSigned")} ${count(v.finding_count)}`, "bad"), ` ${all}`),
    v.findings.length ? el("ul", {}, v.findings.map((f) => el("li", { class: "bad" }, [f.kind, f.table, f.tenant, f.stream, f.version && `v${f.version}`, f.what].filter((x) => x).join(" · ")))) : null,
    v.removals.length ? el("div", {}, el("h2", {}, w("removals")), table([w("streams"), w("upToVersion"), w("removedAt"), w("removedBy"), w("reason"), w("whoOrdered")], v.removals.map(removal))) : el("p", { class: "soft" }, w("nothingRemoved")),
  ];
}

function removal(r) {
  const order = r.order ?? null;
  return el("tr", {},
    el("td", {}, r.stream, el("br"), el("small", { class: "soft" }, r.tenant)), number(count(r.up_to_version)), el("td", { class: "when" }, moment(r.at)), el("td", {}, r.actor ?? "-"),
    el("td", {}, r.why, r.file ? el("small", { class: "soft" }, ` ${r.file}`) : null),
    el("td", {}, order ? badge(w(`order_${order}`), tint[order]) : null, el("br"),
      el("small", { class: "soft" }, [order && w(`order_${order}_means`), r.ordered_by, r.signed_at ? `${w("recordSigned")} ${moment(r.signed_at)}` : w("recordNotSigned")].filter((x) => x).join(" · "))));
}
