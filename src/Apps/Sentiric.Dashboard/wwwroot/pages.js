import { get, post } from "/console/api.js";
import { card, el, ladder, latencyBars, packets, peaksOf, table, timeline, waveform } from "/console/draw.js";
import { earOf, stop as stopListening, stopUnless } from "/console/ear.js";
import { button, readers, stateTint } from "/console/store.js";
import { locale, w } from "/console/words.js";

const clock = (iso) => (iso ? new Date(iso).toLocaleTimeString(locale()) : "");
const moment = (iso) => (iso ? new Date(iso).toLocaleString(locale()) : "");
const seconds = (ms) => `${(ms / 1000).toLocaleString(locale(), { maximumFractionDigits: 1 })} s`;
const open = (id) => () => (location.hash = `#/call/${id}`);
// A guest's name holds the number already.
const who = (c) => (!c.user_name ? c.from : c.user_name.includes(c.from) ? c.user_name : `${c.user_name} (${c.from})`);
// Whom we call has the name; who we are is a number of ours.
const caller = (c) => (c.direction === "outbound" ? c.from : who(c));
const called = (c) => (c.direction === "outbound" && c.user_name ? `${c.user_name} (${c.to})` : c.to);
const rowTo = (id, ...cells) => el("tr", { class: "link", tabindex: 0, onclick: open(id), onkeydown: (e) => e.key === "Enter" && open(id)() }, cells.map((c) => (c instanceof HTMLTableCellElement ? c : el("td", {}, c ?? ""))));
const number = (text) => el("td", { class: "number" }, text);
const endTint = { normal: "good", transferred: "good", cancelled: "soft", busy: "warn", no_answer: "warn", policy: "warn", maintenance: "warn", after_hours: "warn" };
const badge = (text, tint) => el("span", { class: `badge ${tint}` }, text);

export async function livePage() {
  const [live, recent] = await Promise.all([get("/calls/live"), get("/calls?limit=15")]);
  const today = recent.items.filter((c) => new Date(c.started_at).toDateString() === new Date().toDateString());
  const talked = today.filter((c) => c.answered);
  const average = talked.length ? talked.reduce((sum, c) => sum + c.talk_ms, 0) / talked.length : 0;
  const tiles = [[live.length, w("now")], [today.length, w("today")], [talked.length, w("answered")], [seconds(average), w("averageTalk")]];
  const liveRows = live.map((c) => rowTo(c.call_id, caller(c), called(c), badge(w(c.state), "good"), clock(c.started_at), number(c.turns), c.last_heard, c.last_said));
  return {
    node: el("div", {},
      el("div", { class: "tiles" }, tiles.map(([value, label]) => el("div", { class: "tile" }, el("b", {}, String(value)), el("span", {}, label)))),
      card(w("liveCalls"), live.length ? table([w("caller"), w("called"), w("state"), w("since"), w("turns"), w("lastHeard"), w("lastSaid")], liveRows) : el("p", { class: "empty" }, w("nothingLive"))),
      card(w("recentCalls"), callTable(recent.items))),
    concerns: (e) => e.type !== "sip.message.logged" && e.type !== "media.quality",
  };
}

export async function callsPage() {
  const page = await get("/calls?limit=200");
  return { node: card(w("calls"), callTable(page.items)), concerns: (e) => e.type === "call.received" || e.type === "call.requested" || e.type === "call.ended" };
}

function callTable(calls) {
  if (!calls.length) return el("p", { class: "empty" }, w("nothingYet"));
  const rows = calls.map((c) => rowTo(c.call_id, el("td", { class: "when" }, moment(c.started_at)), caller(c), called(c), c.action ?? "", c.end_reason ? badge(c.end_reason, endTint[c.end_reason] ?? "bad") : badge(w("live"), "good"), number(seconds(c.talk_ms)), number(c.turns), number(c.mos?.toFixed(2) ?? "")));
  return table([w("started"), w("caller"), w("called"), w("plan"), w("ended"), w("talk"), w("turns"), "MOS"], rows);
}

export async function callPage(id) {
  const [detail, events, media] = await Promise.all([get(`/calls/${id}`), get(`/calls/${id}/events`), get(`/calls/${id}/media`)]);
  const { record, transcript, turns } = detail;
  stopUnless(id);
  const resolution = events.find((e) => e.type === "call.route.resolved" || e.type === "call.requested")?.data.resolution;
  const sip = events.filter((e) => e.type === "sip.message.logged").map((e) => e.data);
  const total = record.talk_ms || Math.max(1, ...transcript.map((l) => l.offset_ms + l.duration_ms));
  const canvas = el("canvas");
  const stages = { end_of_speech_ms: w("endOfSpeech"), recognize_ms: w("recognize"), think_ms: w("think"), speak_ms: w("speak") };
  const when = timeline(transcript, total);
  when.node.append(when.label(w("caller"), 38), when.label(w("agent"), 74));
  const end = () => post(`/calls/${id}/terminate`);
  const transfer = () => {
    const to = prompt(w("transferTo"));
    if (to) post(`/calls/${id}/transfer`, { to }).catch((problem) => alert(problem.message));
  };
  const besides = el("div", {});
  const besidesNow = () => besides.replaceChildren(earOf(id, besidesNow));
  besidesNow();
  // Only where the messages themselves are kept.
  const capture = sip.some((m) => m.text) ? el("a", { href: `/v1/calls/${id}/sip.pcap`, download: `${id}.pcap` }, w("capture")) : null;
  const node = el("div", {},
    el("h1", {}, `${record.direction === "outbound" ? record.from : record.user_name ?? record.from} → ${called(record)} `, record.end_reason ? badge(record.end_reason, endTint[record.end_reason] ?? "bad") : [record.answered ? el("button", { type: "button", onclick: transfer }, w("transfer")) : null, el("button", { class: "danger", type: "button", onclick: end }, w("hangUp"))]),
    record.answered && !record.end_reason ? card(w("beside"), besides) : null,
    card(w("timeline"), when.node),
    el("div", { class: "grid" },
      card(w("transcript"), el("div", { class: "talk" }, transcript.map(said))),
      el("div", {},
        card(w("recording"), record.recording_uri ? el("div", {}, canvas, el("small", { class: "soft" }, w("left")), el("audio", { controls: true, preload: "none", src: `/v1/calls/${id}/recording` })) : el("p", { class: "empty" }, w("noRecording"))),
        media.quality.length ? card(w("packets"), packets(media.quality, { loss: w("loss"), jitter: w("jitter") })) : null,
        card(w("record"), facts(record)),
        turns.length ? card(w("latency"), latencyBars(turns, stages)) : null)),
    el("div", { class: "grid" },
      card(w("ladder"), el("div", {}, ladder(sip), capture)),
      card(w("why"), el("ol", {}, (resolution?.trace ?? []).map((line) => el("li", {}, line))))),
    card(w("events"), el("details", {}, el("summary", {}, `${events.length}`), table(["#", "", w("events"), ""], events.map((e) => el("tr", {}, number(e.version), el("td", {}, clock(e.occurred_at)), el("td", {}, e.type), el("td", {}, el("pre", {}, JSON.stringify(e.data)))))))));
  return { node, concerns: (e) => e.call_id === id, left: stopListening, shown: async () => record.recording_uri && waveform(canvas, media.waveform ?? (await peaksOf(`/v1/calls/${id}/recording`))) };
}

function said(line) {
  const how = line.speaker === "caller" ? `${w("caller")} · ${w("confidence")} ${Math.round(line.confidence * 100)} %` : w("agent");
  const cut = line.full_text && line.full_text !== line.text ? el("small", {}, `${w("cutOff")}: `, el("del", {}, line.full_text)) : null;
  return el("div", { class: `said ${line.speaker}` }, el("small", {}, `${how} · ${seconds(line.offset_ms)}`), line.text, cut);
}

function facts(r) {
  const rows = [
    [w("started"), moment(r.started_at)], [w("caller"), r.from], [w("called"), r.to], [w("plan"), `${r.dialplan_id ?? ""} ${r.action ?? ""} (${r.why ?? ""})`],
    [w("ended"), `${r.end_reason ?? ""} · ${r.hung_up_by ?? ""} · SIP ${r.sip_code ?? ""} · Q.850 ${r.q850_cause ?? ""}`], [w("talk"), seconds(r.talk_ms)],
    [w("quality"), r.mos ? `${r.mos.toFixed(2)} · ${r.codec} · ${r.jitter_ms} ms · ${r.loss_percent} %` : ""], ["SHA-256", r.recording_sha256 ?? ""], ["Call-ID", r.sip_call_id], ...[["trunk", r.trunk], ["notDialled", r.toll_rule], ["transferredTo", r.transferred_to && `${r.transferred_to} (${r.transfer})`]].filter(([, v]) => v).map(([k, v]) => [w(k), v]),
  ];
  return el("dl", {}, rows.flatMap(([name, value]) => [el("dt", {}, name), el("dd", {}, value)]));
}

export async function directoryPage() {
  const [users, routes, articles] = await Promise.all([get("/users"), get("/routes"), get("/knowledge/articles")]);
  const cells = (...texts) => el("tr", {}, texts.map((t) => el("td", {}, t)));
  return {
    node: el("div", {},
      card(w("users"), table([w("name"), w("type"), w("contacts")], users.map((u) => cells(u.name, u.type, u.contacts.map((c) => c.value).join(", "))))),
      card(w("routes"), table([w("number"), w("plan"), w("state")], routes.map((r) => cells(r.number, r.settings.active_dialplan, r.maintenance ? badge("maintenance", "warn") : badge("ok", "good"))))),
      card(w("articles"), table([w("name"), w("question"), w("answer")], articles.map((a) => cells(a.title, a.questions.join(" · "), a.answer))))),
  };
}

export async function operationsPage() {
  const projections = await get("/projections");
  const rebuild = (name) => button(w("rebuild"), () => post(`/projections/${encodeURIComponent(name)}/rebuild`));
  const rows = projections.map((p) => el("tr", {}, el("td", {}, p.name), el("td", {}, badge(w(p.state), p.last_error ? "bad" : (stateTint[p.state] ?? "soft"))), number(p.position), number(p.lag), el("td", {}, readers.has(p.name) ? null : rebuild(p.name))));
  return { node: card(w("projections"), table([w("name"), w("state"), w("position"), w("lag"), ""], rows)), concerns: (e) => e.type === "call.ended" };
}
