/**
 * The live list: one row per exchange, the newest at the top.
 *
 * Rows come in by the hundred a second. They are kept in a map, and once per frame the map is brought into the page;
 * it holds the newest thousand, whatever the recorder keeps.
 */

import { grouped, lasted, make, octets, refill, rove, sized, timeOfDay } from "./nodes.js";

const MOST_ROWS = 1000;
const MOST_CHOICES = 200; // endpoints to choose from
// Whether the browser itself keeps what is looked at in its place while rows come in above it: WebKit only lately.
const ANCHORS = CSS.supports("overflow-anchor", "auto");
const UNDER_WAY = new Set(["receiving", "answering"]);
const CUT = new Set(["broken off", "client gone"]); // a status may have been sent: it says nothing of this

export class LiveList {
  /**
   * @param {Object} nodes `rows` (the ol), `nothing` (shown when there are none), `filters` (the form)
   * @param {function()} changed called once per frame in which rows came or went
   * @param {function()} filtered called when the filters were changed
   */
  constructor({ rows, nothing, filters }, changed, filtered) {
    Object.assign(this, { rows, nothing, filters, changed, filtered });
    this.summaries = new Map(); // by id, the oldest first
    this.nodes = new Map(); // those of them that match the filters
    this.waiting = new Map(); // came since the last frame, or while paused
    this.paused = false;
    this.selected = "";
    this.loaded = false;
    this.meanwhile = null; // what comes in while the list is loaded
    this.scheduled = false;
    this.offered = new Set(); // what can be chosen in the filters already
    this.filter = this.readFilters();
    filters.addEventListener("input", () => this.refilter());
    filters.addEventListener("submit", (event) => event.preventDefault());
    rows.addEventListener("keydown", (event) => rove(event, this.links()));
    rows.addEventListener("focusin", (event) => this.makeStop(event.target));
  }

  // --- what comes in ----------------------------------------------------------------------------------------

  /** An exchange is new, or has changed. */
  receive(summary) {
    this.waiting.set(summary.id, summary);
    this.meanwhile?.set(summary.id, summary);
    if (this.paused) this.bound(this.waiting);
    this.schedule();
  }

  /**
   * Begin anew with what the recorder has.
   *
   * @param {function(): Promise<Array>} ask gives the summaries, the newest first; what comes in meanwhile stays
   */
  async load(ask) {
    this.meanwhile = new Map();
    try {
      const summaries = await ask();
      this.loaded = true;
      this.summaries.clear();
      for (const summary of summaries.slice(0, MOST_ROWS).reverse()) this.summaries.set(summary.id, summary);
      for (const [id, summary] of this.meanwhile) this.waiting.set(id, summary);
    } finally {
      this.meanwhile = null;
    }
    this.rebuild();
    if (this.waiting.size) this.schedule();
  }

  clear() {
    this.waiting.clear();
    this.summaries.clear();
    this.rebuild();
  }

  /** While paused nothing moves; what comes in waits, and is counted. */
  pause(paused) {
    this.paused = paused;
    this.schedule();
  }

  schedule() {
    if (this.scheduled) return;
    this.scheduled = true;
    requestAnimationFrame(() => this.drawWaiting());
  }

  drawWaiting() {
    this.scheduled = false;
    if (!this.paused) {
      const fresh = [];
      for (const [id, summary] of this.waiting) {
        const known = this.summaries.has(id);
        this.summaries.set(id, summary);
        this.offerChoices(summary);
        const old = this.nodes.get(id);
        if (!this.matches(summary)) this.drop(id);
        else if (old) this.redraw(old, summary);
        else if (!known) fresh.unshift(this.rowNode(summary));
      }
      this.waiting.clear();
      this.keepStill(() => this.rows.prepend(...fresh.slice(0, MOST_ROWS)), ANCHORS);
      this.bound(this.summaries, (id) => this.drop(id));
      this.settle();
    }
    this.changed();
  }

  /** Drop the oldest above what is held. */
  bound(map, drop = () => {}) {
    for (const id of map.keys()) {
      if (map.size <= MOST_ROWS) return;
      map.delete(id);
      drop(id);
    }
  }

  // --- filters ----------------------------------------------------------------------------------------------

  readFilters() {
    const { text, method, status, endpoint } = this.filters.elements;
    return {
      words: text.value.toLowerCase().split(/\s+/).filter(Boolean),
      method: method.value,
      status: status.value,
      endpoint: endpoint.value,
    };
  }

  get filtering() {
    const { words, method, status, endpoint } = this.filter;
    return Boolean(words.length || method || status || endpoint);
  }

  refilter() {
    this.filter = this.readFilters();
    this.rebuild();
    this.filtered();
  }

  /** The filters as the recorder takes them, which may let more pass than `matches` does. */
  get query() {
    const { words, method, status, endpoint } = this.filter;
    const typed = words.find((word) => /^[1-5]xx$/.test(word));
    const text = words.find((word) => word !== typed) ?? (status === "refused" ? status : "");
    const kind = /^\d$/.test(status) ? `${status}xx` : (typed ?? "");
    return new URLSearchParams({ text, method, endpoint, status: kind });
  }

  unfilter() {
    this.filters.reset();
    this.refilter();
  }

  matches(summary) {
    const { words, method, status, endpoint } = this.filter;
    if (method && summary.method !== method) return false;
    if (endpoint && summary.endpoint !== endpoint) return false;
    if (status === "refused" ? summary.state !== "refused" : status && String(summary.status)[0] !== status)
      return false;
    if (!words.length) return true;
    const { id, target, endpoint: name, status: code, refusal } = summary;
    const text = `${id} ${summary.method} ${target} ${name} ${code} ${refusal ?? ""}`.toLowerCase();
    const kind = `${String(code)[0]}xx`;
    return words.every((word) => text.includes(word) || word === kind);
  }

  /** Methods and endpoints that have been seen can be chosen. */
  offerChoices(summary) {
    for (const name of ["method", "endpoint"]) {
      const key = `${name} ${summary[name]}`;
      if (this.offered.has(key) || this.offered.size > 2 * MOST_CHOICES) continue;
      this.offered.add(key);
      offer(this.filters.elements[name], summary[name]);
    }
  }

  // --- rows -------------------------------------------------------------------------------------------------

  rebuild() {
    const focused = this.rows.contains(document.activeElement) && document.activeElement.closest(".row");
    const before = this.nodes;
    this.nodes = new Map();
    const rows = [];
    for (const summary of this.summaries.values()) {
      this.offerChoices(summary);
      if (this.matches(summary)) rows.push(this.rowNode(summary, before.get(summary.id)));
    }
    this.keepStill(() => this.rows.replaceChildren(...rows.reverse()));
    this.settle();
    const kept = focused && this.nodes.get(focused.dataset.id);
    if (kept) kept.firstElementChild.focus({ preventScroll: true });
    else if (this.rows.firstElementChild) this.makeStop(this.rows.firstElementChild.firstElementChild);
    this.changed();
  }

  /** Change the rows. Where the list is scrolled, those in sight stay where they are. `kept`: without us, too. */
  keepStill(change, kept = false) {
    const scroller = this.rows.parentElement;
    const top = scroller.scrollTop;
    const first = this.rows.offsetTop + top;
    const seen = !kept && top > 0 && [...this.rows.children].find((row) => row.offsetTop >= first);
    const before = seen ? seen.offsetTop : 0;
    change();
    const now = seen && this.nodes.get(seen.dataset.id);
    if (now) scroller.scrollTop = top + now.offsetTop - before;
  }

  /** The row of a request: the one it had, whose height the browser knows, or a new one. */
  rowNode(summary, row = this.newRow(summary.id)) {
    this.nodes.set(summary.id, row);
    this.redraw(row, summary);
    return row;
  }

  newRow(id) {
    return make("li", { class: "row", data: { id } }, make("a", { tabindex: -1, href: `#${id}` }));
  }

  redraw(row, summary) {
    const {
      id,
      method,
      target,
      status,
      octets: size,
      duration_us: duration,
      endpoint,
      began,
      state,
      refusal,
    } = summary;
    const refused = state === "refused";
    const cut = CUT.has(state);
    const link = row.firstElementChild;
    row.className = `row${refused ? " refused" : ""}${cut ? " cut" : ""}${UNDER_WAY.has(state) ? " under-way" : ""}`;
    const told = target || refusal || "";
    link.setAttribute("aria-label", spoken(summary));
    if (id === this.selected) link.setAttribute("aria-current", "true");
    refill(
      link,
      make(
        "span",
        { class: `status class-${String(status)[0]}` },
        status ? String(status) : UNDER_WAY.has(state) ? "···" : "–",
      ),
      make("span", { class: "method" }, method || "—"),
      make(
        "span",
        { class: target ? "target" : "target told", title: told },
        told.length > 300 ? `${told.slice(0, 300)}…` : told,
      ),
      make("span", { class: "endpoint", title: endpoint }, refused || cut ? state : endpoint),
      make("span", { class: "figure size" }, sized(size)),
      make("span", { class: "figure time" }, lasted(duration)),
      make("time", { class: "figure began", datetime: began }, timeOfDay(began)),
    );
  }

  drop(id) {
    const row = this.nodes.get(id);
    if (!row) return;
    this.nodes.delete(id);
    // The focus does not fall out of the list with the row that has it.
    if (row.contains(document.activeElement))
      (row.previousElementSibling ?? row.nextElementSibling)?.firstElementChild.focus();
    row.remove();
  }

  links() {
    return [...this.rows.children].map((row) => row.firstElementChild);
  }

  /** One row is in the order of Tab: the one that had the focus last, or the first. */
  makeStop(target) {
    const link = target.closest("a");
    if (!link || link === this.stop) return;
    if (this.stop) this.stop.tabIndex = -1;
    link.tabIndex = 0;
    this.stop = link;
  }

  settle() {
    // Not by `:has(:empty)`: in WebKit the list would stay hidden when its first row comes.
    this.rows.parentElement.hidden = !this.rows.firstElementChild;
    if (!this.stop?.isConnected && this.rows.firstElementChild)
      this.makeStop(this.rows.firstElementChild.firstElementChild);
  }

  select(id) {
    const link = (row) => row?.firstElementChild;
    link(this.nodes.get(this.selected))?.removeAttribute("aria-current");
    const other = id !== this.selected;
    this.selected = id;
    const chosen = link(this.nodes.get(id));
    if (!chosen) return;
    chosen.setAttribute("aria-current", "true");
    this.makeStop(chosen);
    if (other) chosen.scrollIntoView({ block: "nearest" });
  }

  /** Put the focus on the row of a request, or on the one that is first. */
  focus(id = "") {
    const row =
      this.nodes.get(id) ?? (this.stop?.isConnected ? this.stop.parentElement : this.rows.firstElementChild);
    row?.firstElementChild.focus();
  }

  /** The id of the row so many below (or above) another; null at the ends. */
  neighbour(id, step) {
    const row = this.nodes.get(id);
    const other = step > 0 ? row?.nextElementSibling : row?.previousElementSibling;
    return other?.dataset.id ?? null;
  }
}

/** A row in words, for those who hear it. */
function spoken({ method, target, status, octets: size, duration_us: duration, endpoint, state, refusal }) {
  const what = method || target ? `${method} ${target}` : "Unreadable request";
  const outcome =
    state === "refused" ? `refused with ${status}: ${refusal ?? ""}` : status ? `status ${status}` : state;
  return [what, outcome, status && CUT.has(state) && state, endpoint && `endpoint ${endpoint}`, octets(size), lasted(duration)]
    .filter(Boolean)
    .join(", ");
}

function offer(select, value) {
  if (!value || select.length > MOST_CHOICES) return;
  const next = [...select.options].slice(1).find((option) => option.value > value);
  select.insertBefore(make("option", { value }, value), next ?? null);
}

/** "1 request", "1,000 requests". */
export const requests = (count) => `${grouped(count)} ${count === 1 ? "request" : "requests"}`;
