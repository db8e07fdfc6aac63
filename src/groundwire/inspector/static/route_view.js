/** The Route view: how the request found its function, and which functions ran. */

import { absent, lasted, make, notice, section, sentence } from "./nodes.js";

const MOST_CANDIDATES = 40; // shown without being asked
const FAR = new Set(["path differs", "not tried"]); // results that say little where another rule matched

const PLACES = {
  inline: "Runs on the event loop, at once: it was never seen to wait.",
  loop: "Runs on the event loop: it is async and gives way where it waits.",
  thread: "Runs in a thread, where it may wait without holding up others.",
};

/** Make the view of an exchange. */
export function routeView(exchange) {
  const { routing, calls } = exchange;
  return make(
    "div",
    { class: "reading-column" },
    routing ? [verdict(exchange), section("Candidates", candidates(routing))] : unrouted(exchange),
    routing?.handler ? section("Handler", handler(exchange)) : null,
    section(
      "What ran",
      calls.length ? callTable(calls) : absent("No function of the application was called."),
    ),
  );
}

function unrouted({ refusal }) {
  if (refusal) return absent("The request was refused before it was routed: no code of the application ran.");
  return absent("The handler of this server tells nothing of its routes.");
}

/** The outcome in a sentence. */
function verdict({ method, path, routing }) {
  const { verdict, hint, methods_here: here } = routing;
  const asked = make("code", {}, `${method} ${path}`);
  const matched = routing.candidates.find((candidate) => candidate.result === "matched");
  if (matched)
    return make(
      "p",
      { class: "lead" },
      asked,
      " matches ",
      make("code", {}, matched.rule),
      " and goes to ",
      make("strong", {}, matched.endpoint),
      routing.arguments?.length ? make("code", {}, `(${routing.arguments.map(argument).join(", ")})`) : null,
      ".",
    );
  const said = [asked, " "];
  if (verdict?.location) said.push("is sent on to ", make("code", {}, verdict.location), ".");
  else if (here?.length)
    said.push(
      `matches no rule for ${method}. The path is there for `,
      make("code", {}, here.join(", ")),
      ".",
    );
  else said.push("matches none of the rules below.");
  // What the error page says of 404 and 405 has just been said, and better.
  if (verdict?.why && ["redirect", "refused"].includes(verdict.result))
    said.push(` ${sentence(verdict.why)}`);
  if (hint) said.push(" ", make("strong", {}, hint));
  return notice("warning", ...said);
}

const argument = ({ name, value }) => `${name}=${written(value)}`;

/** A value as Python would write it, as far as JSON tells. */
const written = (value) => (typeof value === "string" ? `'${value}'` : String(value));

function candidates({ candidates: list, left_out: leftOut }) {
  if (!list.length) return absent("There was no rule to try.");
  const more = leftOut ? absent(`${leftOut} more rules were further away.`) : null;
  const matched = list.some(({ result }) => result === "matched");
  const near = list.filter(({ result }, index) => (matched ? !FAR.has(result) : index < MOST_CANDIDATES));
  const rest = list.filter((each) => !near.includes(each));
  const shown = make("ol", { class: "candidates" }, near.map(candidate));
  if (!rest.length) return [shown, more];
  const label = matched ? `${rest.length} more that were further away` : `${rest.length} more`;
  return [
    shown,
    make(
      "details",
      { class: "rest" },
      make("summary", {}, label),
      make("ol", { class: "candidates" }, rest.map(candidate)),
      more,
    ),
  ];
}

function candidate({ rule, endpoint, methods, host, result, why, converters }) {
  const matched = result === "matched";
  return make(
    "li",
    { class: matched ? "candidate matched" : "candidate" },
    make("span", { class: "sign", "aria-hidden": "true" }, matched ? "✓" : "×"),
    make(
      "div",
      {},
      make(
        "p",
        {},
        make("code", { class: "rule" }, host ? `${host} ${rule}` : rule),
        " ",
        make("span", { class: "quiet" }, (methods ?? []).join(" ")),
      ),
      make(
        "p",
        { class: "quiet" },
        make("span", { class: "endpoint" }, endpoint),
        matched ? "" : ` — ${result}${why ? `: ${why}` : ""}`,
      ),
      converters?.length ? make("ul", { class: "conversions" }, converters.map(conversion)) : null,
    ),
  );
}

function conversion({ name, converter, text, value, refused }) {
  const failed = refused ?? (value === null || value === undefined);
  const shown = converter.startsWith("<") ? converter : `<${converter}:${name}>`;
  return make(
    "li",
    {},
    make("code", {}, shown),
    " took ",
    make("code", {}, text),
    failed ? " and refused it" : [" and made ", make("code", {}, written(value))],
  );
}

function handler({ routing, place, place_reason: reason }) {
  const { name, file, line, source, source_left_out: leftOut, runs, reason: usual } = routing.handler;
  const where = place || runs;
  return [
    make("p", {}, make("strong", {}, name), " ", make("span", { class: "quiet file" }, `${file}:${line}`)),
    where ? make("p", { class: "quiet" }, PLACES[where] ?? where, " ", because(reason || usual)) : null,
    source?.length ? sourceLines(source, line) : null,
    leftOut ? absent(`${leftOut} more lines.`) : null,
  ];
}

const because = (reason) =>
  reason ? `Why: ${sentence(reason).replace(/^./, (first) => first.toLowerCase())}` : "";

/** Numbered lines, without what all are indented by. */
function sourceLines(lines, first) {
  const indent = Math.min(...lines.filter((text) => text.trim()).map((text) => text.search(/\S/)));
  const numbered = lines.map((text, index) =>
    make(
      "span",
      { class: "line", data: { line: first + index } },
      `${text.slice(indent).replace(/\n$/, "")}\n`,
    ),
  );
  return make(
    "pre",
    { class: "block source", tabindex: 0, "aria-label": "Source of the handler" },
    make("code", {}, numbered),
  );
}

function callTable(calls) {
  const rows = calls.map(({ role, name, file, line, start_us: start, end_us: end, outcome }) =>
    make(
      "tr",
      { class: role === "view" ? "view" : null },
      make("td", { class: "role" }, role.replaceAll("_", " ")),
      make(
        "th",
        { scope: "row" },
        name,
        file ? make("span", { class: "quiet file" }, `${file}:${line}`) : null,
      ),
      make("td", { class: /^raised/.test(outcome ?? "") ? "wrong" : null }, outcome ?? ""),
      make("td", { class: "figure" }, start !== null && end !== null ? lasted(end - start) : ""),
    ),
  );
  const heads = ["Role", "Function", "Outcome"].map((text) => make("th", { scope: "col" }, text));
  return make(
    "table",
    { class: "ran" },
    make("thead", {}, make("tr", {}, heads, make("th", { scope: "col", class: "figure" }, "Time"))),
    make("tbody", {}, rows),
  );
}
