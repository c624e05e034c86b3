import { ApiProblem, follow, get, post } from "/console/api.js";
import { el } from "/console/draw.js";
import { callPage, callsPage, directoryPage, livePage, operationsPage } from "/console/pages.js";
import { phonesPage } from "/console/phones.js";
import { storePage } from "/console/store.js";
import { switchLanguage, w } from "/console/words.js";

const page = document.getElementById("page");
const pages = { live: livePage, calls: callsPage, call: callPage, phones: phonesPage, directory: directoryPage, operations: operationsPage, store: storePage };
let line = null;
let showing = null;
let shownName = null;
let refresh = null;

function navigation(active) {
  const links = ["live", "calls", "phones", "directory", "operations", "store"].map((name) => el("a", { href: `#/${name}`, "aria-current": name === active ? "page" : undefined }, w(name)));
  document.getElementById("nav").replaceChildren(...links);
  document.getElementById("language").textContent = w("language");
}

function lineIs(open) {
  const dot = document.getElementById("line");
  dot.classList.toggle("open", open);
  dot.title = w(open ? "connected" : "disconnected");
}

// Several events come at once; one look at the read models answers all of them.
function changed(event) {
  if (!showing?.concerns?.(event)) return;
  clearTimeout(refresh);
  refresh = setTimeout(show, 150);
}

async function show() {
  const [name = "live", id] = location.hash.replace(/^#\/?/, "").split("/").filter(Boolean);
  navigation(name === "call" ? "calls" : name);
  clearTimeout(refresh);
  if (shownName !== name) showing?.left?.();
  shownName = name;
  try {
    const next = await (pages[name] ?? livePage)(id);
    // Somebody went elsewhere while this page was asked for.
    if (shownName !== name) return;
    showing = next;
    page.replaceChildren(showing.node);
    showing.shown?.();
    if (showing.every) refresh = setTimeout(show, showing.every);
    line ??= follow(changed, lineIs);
  } catch (problem) {
    if (problem instanceof ApiProblem && problem.status === 401) page.replaceChildren(login());
    else page.replaceChildren(el("div", { class: "card bad" }, `${w("failed")}: ${problem.message}`));
  }
}

function login() {
  const key = el("input", { type: "password", name: "key", autocomplete: "current-password", required: true, "aria-label": w("key"), placeholder: w("key") });
  const answer = el("p", { class: "bad" });
  const submit = async (e) => {
    e.preventDefault();
    try {
      await post("/session", { key: key.value.trim() });
      show();
    } catch {
      answer.textContent = w("badKey");
    }
  };
  return el("form", { class: "card login", onsubmit: submit }, el("h1", {}, w("login")), key, el("button", { type: "submit" }, w("open")), answer);
}

document.getElementById("language").addEventListener("click", () => {
  switchLanguage();
  show();
});
window.addEventListener("hashchange", show);
show();
