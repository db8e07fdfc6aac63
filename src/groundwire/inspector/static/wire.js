/**
 * The page: the list on one side, an opened request on the other.
 *
 * What is open stands in the fragment of the address, `#1-17/wire`, so that it can be linked to, and so that the
 * browser's own buttons go back and forth. The ids are those of X-Wire-Id.
 */

import { OpenExchange } from "./exchange.js";
import { LiveList, requests } from "./list.js";
import { grouped, make, refill, sized, takesKeys } from "./nodes.js";

const METER_MILLISECONDS = 3000; // between two questions about how full the recorder is
const LISTEN_AGAIN_MILLISECONDS = 10000;
const RELOAD_MILLISECONDS = 300;
const MOST_LOADED = 1000;

const node = (id) => document.getElementById(id);
const list = new LiveList(
  { rows: node("rows"), nothing: node("nothing"), filters: node("filters") },
  drawState,
  searchAll,
);
const open = new OpenExchange(
  node("detail"),
  (view) => goTo(open.id, view, true),
  () => goTo(""),
);

let arriving = true;
let connected = false;
let recorder = {};
let partial = [];

// --- the address --------------------------------------------------------------------------------------------

/** The id and the view that the address names. */
function named() {
  const found = /^#([\w.-]+)(?:\/(\w+))?$/.exec(location.hash);
  return found && found[1] !== "main" ? { id: found[1], view: found[2] ?? "" } : { id: "", view: "" };
}

/** Go to a request and a view of it; "": to the list. `replace`: the browser's Back skips what was shown before. */
function goTo(id, view = "", replace = false) {
  const address = id ? `#${id}${view ? `/${view}` : ""}` : location.pathname;
  history[replace ? "replaceState" : "pushState"](null, "", address);
  follow();
}

async function follow() {
  const { id, view } = named();
  const before = open.id;
  document.body.classList.toggle("opened", id !== "");
  list.select(id);
  if (!id) {
    open.hide();
    document.title = "The wire";
    if (before) list.focus(before);
    return;
  }
  await open.open(id, view);
  if (open.id !== id) return;
  document.title = `${open.exchange ? `${open.exchange.method} ${open.exchange.target}` : id} · The wire`;
  // Who follows a link from elsewhere keeps the focus where the browser puts it.
  if (before !== id && !arriving) open.focus();
}

// --- the recorder -------------------------------------------------------------------------------------------

let loading = null;

/** Load the list. Whoever asks while that is under way waits for the same answer. */
function load() {
  loading ??= loadList().finally(() => (loading = null));
  return loading;
}

async function loadList() {
  await list.load(async () => {
    const response = await fetch(`requests?limit=${MOST_LOADED}&${list.query}`);
    if (!response.ok) throw new Error(`the server answered ${response.status}`);
    const answer = await response.json();
    remember(answer);
    return answer.requests;
  });
  list.select(named().id);
}

let reload = null;

/** What is filtered may be among those that the list does not hold: the recorder looks through all it has. */
function searchAll() {
  if (recorder.messages > list.summaries.size) loadSoon();
}

/** Load the list soon: more has happened than was told of. While the list is paused it stays as it is. */
function loadSoon() {
  reload ??= setTimeout(async () => {
    await loading?.catch(() => {});
    reload = null;
    if (list.paused) missed = true;
    else await load().catch(() => {});
  }, RELOAD_MILLISECONDS);
}

let missed = false;

function remember(answer) {
  ({ recorder = {}, partial = [] } = answer);
  open.readOnly = Boolean(recorder.read_only);
  document.body.classList.toggle("read-only", open.readOnly);
  drawState();
}

let events = null;

/**
 * Follow what happens while the page can be seen: all tabs of a browser have six connections to a server together.
 *
 * Whenever the connection comes up, also anew, the list is loaded: nothing is missed.
 */
function listen() {
  if (events || document.hidden) return;
  events = new EventSource("events");
  events.addEventListener("open", async () => {
    connected = true;
    if (list.paused) missed = true;
    else await load().catch(() => (connected = false));
    open.changed(open.id);
    drawState();
  });
  events.addEventListener("error", () => {
    connected = false;
    drawState();
    // The browser tries again by itself, unless it was answered with an error: too many follow.
    if (events?.readyState !== EventSource.CLOSED) return;
    events = null;
    setTimeout(listen, LISTEN_AGAIN_MILLISECONDS);
  });
  events.addEventListener("exchange", (event) => {
    const summary = JSON.parse(event.data);
    list.receive(summary);
    open.changed(summary.id);
    askForMeter();
  });
  events.addEventListener("cleared", (event) => {
    if (JSON.parse(event.data || "{}").reason === "missed") loadSoon();
    else forget();
  });
}

function listenWhileSeen() {
  if (!document.hidden) return listen();
  events?.close();
  events = null;
}

let meterAsked = false;

function askForMeter() {
  if (meterAsked) return;
  meterAsked = true;
  setTimeout(async () => {
    meterAsked = false;
    const response = await fetch("requests?limit=1").catch(() => null);
    if (response?.ok) remember(await response.json());
  }, METER_MILLISECONDS);
}

function forget() {
  recorder.messages = recorder.octets = 0;
  list.clear();
}

async function clear() {
  // The content type is what a form of another site cannot send.
  const response = await fetch("requests", {
    method: "DELETE",
    headers: { "Content-Type": "application/json" },
  }).catch(() => null);
  if (response?.ok) {
    forget();
    if (open.id) goTo("");
  }
}

// --- what the bar and the empty list say --------------------------------------------------------------------

function drawState() {
  const waiting = list.paused ? list.waiting.size : 0;
  const pulse = node("pulse");
  pulse.className = `pulse ${open.readOnly ? "saved" : list.paused ? "paused" : connected ? "live" : "lost"}`;
  const state = open.readOnly
    ? "Saved session"
    : list.paused
      ? `Paused${waiting ? `, ${grouped(waiting)} new` : ""}`
      : connected
        ? "Live"
        : "Connecting…";
  if (pulse.textContent !== state) pulse.textContent = state;
  const pause = node("pause");
  pause.textContent = list.paused ? "Go on" : "Pause";
  pause.setAttribute("aria-pressed", String(list.paused));
  node("meter").textContent = meter();
  drawNothing();
}

function meter() {
  const kept = Math.max(list.summaries.size, recorder.messages ?? 0);
  const parts = [list.filtering ? `${grouped(list.nodes.size)} of ${requests(kept)}` : requests(kept)];
  if (recorder.file) parts.push(recorder.file);
  if (recorder.saved) parts.push(`saved ${String(recorder.saved).slice(0, 16).replace("T", " ")}`);
  parts.push(...(recorder.notes ?? []));
  if (recorder.bound_octets && !open.readOnly)
    parts.push(`${sized(recorder.octets)} of ${sized(recorder.bound_octets)}`);
  if (recorder.dropped) parts.push(`${grouped(recorder.dropped)} dropped`);
  if (recorder.secrets) parts.push("secrets are shown");
  if (partial.length)
    parts.push(partial.length === 1 ? "a worker did not answer" : `${partial.length} workers did not answer`);
  return parts.join(" · ");
}

let emptiness = "";

/** An empty list says why it is empty, and what to do about it. */
function drawNothing() {
  const kind = list.nodes.size ? "" : !list.loaded ? "" : list.summaries.size ? "filtered" : "empty";
  if (kind === emptiness) return;
  emptiness = kind;
  list.nothing.hidden = kind === "";
  if (kind === "filtered") {
    const all = make("button", { type: "button", on: { click: () => list.unfilter() } }, "Show all");
    refill(
      list.nothing,
      make("h2", {}, "No request matches"),
      make("p", {}, "There are some, but the filters leave none."),
      all,
    );
  } else if (kind === "empty") {
    refill(list.nothing, firstSteps());
  }
}

/** What to type to see a first request, and a first refusal. */
function firstSteps() {
  if (open.readOnly)
    return [
      make("h2", {}, "There is nothing in this file"),
      make("p", {}, "It was saved while nothing had been recorded."),
    ];
  const { origin, hostname, port, protocol } = location;
  const number = port || (protocol === "https:" ? "443" : "80");
  const broken = `printf 'GET / HTTP/1.1\\r\\nHost : ${hostname}\\r\\n\\r\\n' | nc ${hostname} ${number}`;
  return [
    make("h2", {}, "Nothing has come over the wire yet"),
    make("p", {}, "Send a request. It will be here before curl has printed the answer:"),
    command(`curl -i ${origin}/`),
    ...(protocol === "https:"
      ? []
      : [make("p", {}, "Or send one that breaks a rule, and see which, and where:"), command(broken)]),
    make(
      "p",
      { class: "quiet" },
      "A browser does as well: ",
      make("a", { href: "/", target: "_blank", rel: "noopener" }, "open the application"),
      ".",
    ),
  ];
}

function command(text) {
  return make("pre", { class: "block command", tabindex: 0 }, make("code", {}, text));
}

// --- controls and keys --------------------------------------------------------------------------------------

function togglePause() {
  if (open.readOnly) return;
  list.pause(!list.paused);
  if (missed && !list.paused) {
    missed = false;
    loadSoon();
  }
  drawState();
}

/** The next request below (1) or above (-1): opened, if one is open, otherwise focused. */
function step(by) {
  const inList = node("list").contains(document.activeElement);
  if (open.id && !inList) {
    const id = list.neighbour(open.id, by);
    if (id) goTo(id, named().view, true);
    return;
  }
  const focused = document.activeElement?.closest?.(".row")?.dataset.id;
  list.focus((focused && list.neighbour(focused, by)) ?? focused ?? "");
}

const KEYS = {
  j: () => step(1),
  k: () => step(-1),
  p: togglePause,
  x: () => document.querySelector('.choice input[name="form"]:not(:checked)')?.click(),
  "/": () => node("filter-text").focus(),
  "?": () => node("keys").showModal(),
  Escape: () => open.id && goTo(""),
};

/** Out of a field: of the filter to the list, once it is empty; of an editor to the tabs. */
function leave(event) {
  const field = event.target;
  if (node("detail").contains(field)) open.focus();
  else if (field.type === "search" && field.value) {
    event.preventDefault(); // some browsers empty it themselves
    field.value = "";
    list.refilter();
  } else if (node("filters").contains(field)) list.focus();
}

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
  if (takesKeys(event.target)) {
    if (event.key === "Escape") leave(event);
    return;
  }
  const view = /^[1-9]$/.test(event.key) && open.exchange ? open.viewAt(Number(event.key)) : null;
  if (view) {
    goTo(open.id, view, true);
    open.focus();
  } else if ((event.key === "ArrowDown" || event.key === "ArrowUp") && event.target === document.body) {
    event.preventDefault();
    step(event.key === "ArrowDown" ? 1 : -1);
  } else if (KEYS[event.key]) {
    event.preventDefault();
    KEYS[event.key]();
  }
});

document.querySelector(".skip").addEventListener("click", (event) => {
  event.preventDefault();
  list.focus();
});
node("pause").addEventListener("click", togglePause);
node("clear").addEventListener("click", clear);
node("help").addEventListener("click", () => node("keys").showModal());
node("filter-text").addEventListener("keydown", (event) => {
  if (event.key !== "ArrowDown" && event.key !== "Enter") return;
  event.preventDefault();
  list.focus();
});
node("rows").addEventListener("click", (event) => {
  const row = event.target.closest(".row");
  if (!row || event.ctrlKey || event.metaKey || event.shiftKey || event.button) return;
  event.preventDefault();
  goTo(row.dataset.id, named().view);
});
window.addEventListener("popstate", follow);
window.addEventListener("hashchange", follow);

/** A saved session does not change, and nobody tells of it; a server that runs tells, and the list is loaded then. */
async function begin() {
  drawState();
  await load().catch(() => {});
  if (!open.readOnly) {
    document.addEventListener("visibilitychange", listenWhileSeen);
    listen();
  }
  await follow();
  arriving = false;
}

begin();
