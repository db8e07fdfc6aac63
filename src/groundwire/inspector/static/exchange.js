/** One request, opened: what it was, and the views of it as tabs. */

import { errorView } from "./error_view.js";
import { absent, lasted, make, refill, rove, timeOfDay } from "./nodes.js";
import { parsedView } from "./parsed_view.js";
import { replayView } from "./replay_view.js";
import { responseView } from "./response_view.js";
import { routeView } from "./route_view.js";
import { timelineView } from "./timeline_view.js";
import { wireView } from "./wire_view.js";

const VIEWS = {
  wire: ["Wire", wireView],
  parsed: ["Parsed", parsedView],
  route: ["Route", routeView],
  timeline: ["Timeline", timelineView],
  response: ["Response", responseView],
  error: ["Error", errorView],
  replay: ["Replay", replayView],
};

export class OpenExchange {
  /**
   * @param {HTMLElement} node where it is shown; hidden while nothing is open
   * @param {function(string)} choose called with the name of a view that somebody wants to see
   * @param {function()} close called when somebody wants to go back
   */
  constructor(node, choose, close) {
    Object.assign(this, { node, choose, close });
    this.id = "";
    this.view = "";
    this.exchange = null;
    this.readOnly = false;
  }

  /** Show a request in a view; "": the one that tells most about it. Resolves when it is there. */
  async open(id, view) {
    if (id === this.id && this.exchange) {
      if (view !== this.view) this.show(view);
      return;
    }
    this.id = id;
    this.view = view;
    this.exchange = null;
    this.node.hidden = false;
    await this.fetch();
  }

  /** The request has changed while it is open: fetch it again, if it was not whole. */
  async changed(id) {
    const unfinished = this.exchange && ["receiving", "answering"].includes(this.exchange.state);
    if (id === this.id && unfinished) await this.fetch();
  }

  hide() {
    this.id = "";
    this.exchange = null;
    this.node.hidden = true;
    this.node.replaceChildren();
  }

  async fetch() {
    const id = this.id;
    let exchange = null;
    let problem = "";
    try {
      const response = await fetch(`requests/${encodeURIComponent(id)}`);
      if (response.ok) exchange = await response.json();
      else if (response.status !== 404) problem = `The server answered ${response.status}.`;
    } catch {
      problem = "The server cannot be reached.";
    }
    if (id !== this.id) return; // another one was opened meanwhile
    this.exchange = exchange;
    if (exchange) this.draw();
    else this.drawAbsence(problem);
  }

  drawAbsence(problem) {
    const why =
      problem ||
      `There is no request ${this.id} any more: it was cleared, or dropped to make room for later ones.`;
    refill(
      this.node,
      make("header", { class: "subject" }, this.backButton(), make("h2", {}, this.id)),
      absent(why),
    );
  }

  /** On a phone it goes back; on a wide page it closes what is beside the list. */
  backButton() {
    return make(
      "button",
      {
        type: "button",
        class: "back",
        "aria-label": "Back to the list",
        "aria-keyshortcuts": "Escape",
        on: { click: this.close },
      },
      make("span", { class: "narrow" }, "←"),
      make("span", { class: "wide" }, "×"),
    );
  }

  draw() {
    const focused = this.node.contains(document.activeElement);
    const { refusal, error } = this.exchange;
    this.tabs = Object.keys(VIEWS).map((name) => {
      const marked = name === "error" && (refusal || error);
      const label =
        name === "error" && refusal
          ? "Refusal"
          : name === "replay" && this.readOnly
            ? "Copy"
            : VIEWS[name][0];
      return make(
        "button",
        {
          type: "button",
          role: "tab",
          id: `tab-${name}`,
          "aria-controls": "panel",
          tabindex: -1,
          class: marked ? "marked" : null,
          data: { view: name },
          on: { click: () => this.choose(name) },
        },
        label,
      );
    });
    const tablist = make("div", { role: "tablist", class: "tabs", "aria-label": "Views" }, this.tabs);
    tablist.addEventListener("keydown", (event) => {
      const tab = rove(event, this.tabs, { next: "ArrowRight", previous: "ArrowLeft" });
      if (tab) this.choose(tab.dataset.view);
    });
    this.panel = make("div", { role: "tabpanel", id: "panel", class: "panel", tabindex: 0 });
    refill(this.node, this.subject(), tablist, this.panel);
    this.show(this.view);
    if (focused) this.focus();
  }

  /** The head of the page: what was asked, and how it went. */
  subject() {
    const {
      id,
      method,
      target,
      status,
      reason,
      state,
      began,
      duration_us: duration,
      client,
      connection,
      number,
      endpoint,
      place,
    } = this.exchange;
    const refused = state === "refused";
    const facts = [
      id,
      timeOfDay(began),
      lasted(duration),
      endpoint,
      place && { inline: "ran inline", loop: "ran on the loop", thread: "ran in a thread" }[place],
      client && `from ${client}`,
      `request ${number} of connection ${connection}`,
      ["answered", "refused"].includes(state) ? "" : state,
    ];
    return make(
      "header",
      { class: refused ? "subject refused" : "subject" },
      this.backButton(),
      make(
        "h2",
        {},
        method || target
          ? [make("span", { class: "method" }, method), " ", make("span", { class: "target" }, target)]
          : "Unreadable request",
      ),
      status ? make("span", { class: `status class-${String(status)[0]}` }, `${status} ${reason}`) : null,
      make(
        "p",
        { class: "quiet meta" },
        facts.filter(Boolean).map((fact) => make("span", {}, fact)),
      ),
    );
  }

  /** Show a view of what is open. */
  show(view) {
    this.view = view;
    const focused = document.activeElement?.getAttribute("role") === "tab";
    const { refusal, error } = this.exchange;
    const name = this.tabs.some((tab) => tab.dataset.view === view)
      ? view
      : refusal || (error && !error.handled)
        ? "error"
        : "wire";
    for (const tab of this.tabs) {
      const chosen = tab.dataset.view === name;
      tab.setAttribute("aria-selected", String(chosen));
      tab.tabIndex = chosen ? 0 : -1;
      if (chosen) this.panel.setAttribute("aria-labelledby", tab.id);
    }
    refill(this.panel, VIEWS[name][1](this.exchange, this.readOnly));
    this.tab.scrollIntoView({ block: "nearest", inline: "nearest" });
    if (focused) this.tab.focus();
  }

  get tab() {
    return this.tabs?.find((tab) => tab.tabIndex === 0) ?? null;
  }

  /** The focus goes to the tab that is chosen. */
  focus() {
    (this.tab?.isConnected ? this.tab : this.node.querySelector("button"))?.focus();
  }

  /** The name of the view at a place among the tabs, from 1. */
  viewAt(place) {
    return this.tabs?.[place - 1]?.dataset.view ?? null;
  }
}
