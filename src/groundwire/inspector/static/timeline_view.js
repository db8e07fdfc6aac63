/** The Timeline view: where the time went, as a waterfall. */

import { absent, lasted, make, section } from "./nodes.js";

/** What passes until an event, by the event at its end. */
const PHASES = {
  "head complete": "Request line and fields arrive",
  "content complete": "Content arrives",
  matched: "Routing",
  "handler started": "On the way to the handler",
  "handler ended": "Handler",
  "head sent": "Response is written",
  "last byte sent": "Content is sent",
};

/** Make the view of an exchange. */
export function timelineView(exchange) {
  const { timeline, calls, logs } = exchange;
  if (!timeline.length) return absent("No times were noted.");
  const bars = arrange(timeline, calls, logs);
  const end = Math.max(1, ...bars.map((bar) => bar.end));
  return make("div", {}, accepted(timeline), waterfall(bars, end), section("Events", eventTable(timeline)));
}

/** The connection was there before the request: how long before is said, and not drawn to scale. */
function accepted(timeline) {
  const event = timeline.find(({ event }) => event === "accepted");
  if (!event)
    return make(
      "p",
      { class: "quiet" },
      "Counted from the first byte of the request. The connection was there already.",
    );
  return make(
    "p",
    { class: "quiet" },
    `Counted from the first byte of the request, which came ${lasted(-event.at_us)} after the connection was accepted.`,
  );
}

/** The bars in the order they are drawn: phases, within the handler the functions that ran, and log records. */
function arrange(timeline, calls, logs) {
  const events = timeline.filter(({ at_us: at }) => at >= 0).sort((a, b) => a.at_us - b.at_us);
  const bars = [];
  let last = 0;
  for (const { event, at_us: at } of events) {
    if (event !== "first byte" && at > last)
      bars.push({
        label: PHASES[event] ?? event,
        start: last,
        end: at,
        kind: event === "handler ended" ? "handler" : "phase",
      });
    last = at;
  }
  for (const { role, name, start_us: start, end_us: end } of calls) {
    if (start === null || end === null) continue;
    bars.push({
      label: name,
      note: role.replaceAll("_", " "),
      start,
      end,
      kind: role === "view" ? "call view" : "call",
    });
  }
  for (const { at_us: at, level, message } of logs)
    bars.push({ label: message, note: level, start: at, end: at, kind: "log" });
  return bars.sort((a, b) => a.start - b.start); // what came first stays first: the handler before its functions
}

function waterfall(bars, end) {
  const share = (time) => `${Math.min(100, Math.max(0, (100 * time) / end))}%`;
  const rows = bars.map((bar) => {
    const drawn = make("span", { class: `stretch ${bar.kind}` });
    drawn.style.left = share(bar.start);
    drawn.style.width = bar.kind === "log" ? "" : share(bar.end - bar.start);
    const place = bar.kind === "log" ? `at ${lasted(bar.start)}` : lasted(bar.end - bar.start);
    return make(
      "li",
      { class: `lane ${bar.kind}` },
      make(
        "span",
        { class: "label" },
        bar.note ? make("span", { class: "quiet" }, `${bar.note} `) : null,
        bar.label,
      ),
      make("span", { class: "track", "aria-hidden": "true" }, drawn),
      make("span", { class: "figure" }, place),
    );
  });
  return make("div", { class: "waterfall" }, axis(end, share), make("ol", { class: "lanes" }, rows));
}

/** Marks at round times. */
function axis(end, share) {
  const step = niceStep(end / 5);
  const ticks = [];
  for (let at = 0; at <= end; at += step) {
    const tick = make("span", { class: "tick" }, at === 0 ? "0" : lasted(at).replace(".0 ", " "));
    tick.style.left = share(at);
    if (at + step * 0.45 <= end || at === 0) ticks.push(tick);
  }
  return make("div", { class: "axis", "aria-hidden": "true" }, make("div", { class: "ticks" }, ticks));
}

/** The next of 1, 2, 5, 10, 20, 50 … that is not below. */
function niceStep(least) {
  const power = 10 ** Math.floor(Math.log10(Math.max(1, least)));
  return [1, 2, 5, 10].map((factor) => factor * power).find((step) => step >= least) ?? power * 10;
}

function eventTable(timeline) {
  let last = null;
  const rows = timeline.map(({ event, at_us: at }) => {
    const since = last === null ? "" : `+${lasted(at - last)}`;
    last = at;
    return make(
      "tr",
      {},
      make("th", { scope: "row" }, event),
      make("td", { class: "figure" }, lasted(at)),
      make("td", { class: "figure quiet" }, since),
    );
  });
  return make("table", { class: "events" }, make("tbody", {}, rows));
}
