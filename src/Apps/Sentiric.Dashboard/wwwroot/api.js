// The public API, and nothing else: what the console can do, any client can do.
export class ApiProblem extends Error {
  constructor(status, body) {
    super(body?.detail ?? `HTTP ${status}`);
    this.status = status;
    this.code = body?.code;
  }
}

async function request(method, path, body) {
  const response = await fetch(`/v1${path}`, {
    method,
    headers: body === undefined ? {} : { "Content-Type": "application/json" },
    body: body === undefined ? undefined : JSON.stringify(body),
  });
  const text = await response.text();
  const json = text && response.headers.get("Content-Type")?.includes("json") ? JSON.parse(text) : undefined;
  if (!response.ok) throw new ApiProblem(response.status, json);
  return json;
}

export const get = (path) => request("GET", path);
export const remove = (path) => request("DELETE", path);
export const post = (path, body) => request("POST", path, body);

// One line for the whole console. The browser reconnects by itself; what was missed is read again from the read models.
export function follow(onEvent, onLine) {
  const source = new EventSource("/v1/events/stream");
  const kinds = [
    "call.received", "call.requested", "call.dialled", "call.ringing", "call.transfer.requested", "call.transfer.completed", "call.transfer.failed", "call.supervised", "call.supervision.ended", "call.held", "call.resumed", "call.answered", "call.ended", "agent.took_over", "transcript.final", "dialog.turn.completed",
    "call.route.resolved", "user.identified.for_call", "user.created.for_call", "call.recording.available", "tool.succeeded", "tool.failed",
    "media.quality", "sip.message.logged", "call.media.playback.interrupted",
  ];
  source.addEventListener("hello", () => onLine(true));
  source.onerror = () => onLine(false);
  for (const kind of kinds) source.addEventListener(kind, (e) => onEvent(JSON.parse(e.data)));
  return source;
}
