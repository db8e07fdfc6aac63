/** The Parsed view: what the octets mean, in tables. */

import { describe } from "./kinds.js";
import { absent, decoded, make, octets as counted, reference, section, sized, veiled } from "./nodes.js";
import { inOneLine } from "./octets.js";

const MOST_CHILDREN = 200; // of one object or array that are shown at once
const OPEN_DEPTH = 2;
const TEXT_SHOWN = 65536;

/** Make the view of an exchange. */
export function parsedView(exchange) {
  const { request, response } = exchange;
  return make(
    "div",
    { class: "parsed" },
    message("Request", startOfRequest(exchange), request),
    response ? message("Response", startOfResponse(exchange), response) : null,
  );
}

function message(name, start, { fields, query, cookies, content }) {
  return make(
    "article",
    { class: "reading-column", "aria-label": name },
    make("h2", {}, name),
    section("Start line", start),
    section("Fields", fields.length ? fieldTable(fields) : absent("No field could be read.")),
    query.length ? section("Query", pairTable(query)) : null,
    cookies.length ? section("Cookies", pairTable(cookies)) : null,
    section("Content", contentOf(content)),
  );
}

/** The parts of the start line as they were found in the octets: of a refused request those that could be read. */
function startOfRequest({ request }) {
  const lines = ["method", "target", "authority", "path", "query", "version"].map((kind) => [
    kind,
    partOf(request, kind),
  ]);
  const target = lines[1][1];
  const known = lines.filter(([kind, value]) => value !== null && !(kind === "path" && value === target));
  if (!known.length) return absent("Nothing of the request line could be read.");
  return startTable(known);
}

function startOfResponse({ response }) {
  return startTable(
    ["version", "status", "reason"]
      .map((kind) => [kind, partOf(response, kind)])
      .filter(([, value]) => value !== null),
  );
}

/** The octets of the last element of a kind (interim responses come first), as text; null: there is none. */
function partOf(message, kind) {
  const element = message.elements.findLast((element) => element.kind === kind);
  return element ? inOneLine(decoded(message.raw), element.start, element.end, TEXT_SHOWN) : null;
}

function startTable(lines) {
  const rows = lines.map(([kind, value]) => {
    const { label, sentence, url } = describe(kind);
    return make(
      "tr",
      {},
      make("th", { scope: "row" }, label),
      make("td", { class: "value" }, value || make("span", { class: "quiet" }, "none")),
      make("td", { class: "note" }, sentence, " ", reference(url)),
    );
  });
  return make("table", { class: "facts" }, make("tbody", {}, rows));
}

function fieldTable(fields) {
  const rows = fields.map(({ name, value, note, url, secret, trailer }) =>
    make(
      "tr",
      {},
      make("th", { scope: "row" }, name),
      make("td", { class: "value" }, secretOr(value, secret)),
      make(
        "td",
        { class: "note" },
        trailer ? make("em", {}, "Trailer. ") : null,
        note || make("span", { class: "quiet" }, "Not a field we know."),
        " ",
        reference(url),
      ),
    ),
  );
  return make("table", { class: "facts" }, make("tbody", {}, rows));
}

function secretOr(value, secret) {
  if (secret || /^\*{4,}$/.test(value)) return veiled(value);
  return value === "" ? make("span", { class: "quiet" }, "empty") : value;
}

function pairTable(pairs) {
  const rows = pairs.map(([name, value]) =>
    make(
      "tr",
      {},
      make("th", { scope: "row" }, name),
      make("td", { class: "value" }, secretOr(value, false)),
    ),
  );
  return make("table", { class: "facts pairs" }, make("tbody", {}, rows));
}

function contentOf(content) {
  if (content.kind === "none") return absent("None.");
  const coded =
    content.coding &&
    (content.decoded === false ? `${content.coding}, not decoded` : `decoded from ${content.coding}`);
  const summary = make(
    "p",
    { class: "quiet" },
    [content.type, counted(content.size), coded].filter(Boolean).join(" · "),
  );
  const shown = {
    form: () => pairTable(content.form),
    // What calls itself JSON and is none, or is cut, can only be shown as text.
    json: () =>
      content.json === null && content.text?.trim() !== "null"
        ? textBlock(content.text)
        : make("div", { class: "tree" }, tree(null, asWritten(content), 0)),
    multipart: () => partTable(content.parts),
    text: () => textBlock(content.text),
    binary: () => absent("Not text. Its octets are in the Wire view."),
  }[content.kind];
  return [
    summary,
    shown ? shown() : textBlock(content.text ?? ""),
    content.text_cut ? absent("The rest is not shown.") : null,
  ];
}

function textBlock(text) {
  return make("pre", { class: "block", tabindex: 0 }, make("code", {}, text.slice(0, TEXT_SHOWN)));
}

function partTable(parts) {
  const rows = parts.map(({ name, filename, type, size, start, end, text }) =>
    make(
      "tr",
      {},
      make("th", { scope: "row" }, name ?? ""),
      make(
        "td",
        { class: "value" },
        filename ? ["file ", make("strong", {}, filename)] : secretOr(text ?? "", false),
      ),
      make(
        "td",
        { class: "note" },
        [type, sized(size), start !== null && end > start ? `octets ${start}–${end - 1}` : null]
          .filter(Boolean)
          .join(" · "),
      ),
    ),
  );
  return make("table", { class: "facts" }, make("tbody", {}, rows));
}

// --- JSON ---------------------------------------------------------------------------------------------------

/** A number as it was written, where that is not how JavaScript would write it: 1.0, or more digits than it keeps. */
class Numeral {
  constructor(text) {
    this.text = text;
  }
}

/** The value of JSON, its numbers as they were written. An older browser reads them as it can. */
function asWritten({ json, text, text_cut: cut }) {
  const keep = (_key, value, context) =>
    typeof value === "number" && context?.source !== undefined && context.source !== String(value)
      ? new Numeral(context.source)
      : value;
  try {
    return cut ? json : JSON.parse(text, keep);
  } catch {
    return json;
  }
}

/** A value of JSON with its key; objects and arrays open and close, and are made when they first open. */
function tree(key, value, depth) {
  const label = key === null ? [] : [make("span", { class: "key" }, key), ": "];
  if (value === null || typeof value !== "object" || value instanceof Numeral)
    return make("div", { class: "leaf" }, label, scalar(value));
  const list = Array.isArray(value);
  const entries = list ? value.map((item, index) => [String(index), item]) : Object.entries(value);
  const [open, close] = list ? "[]" : "{}";
  if (entries.length === 0) return make("div", { class: "leaf" }, label, open + close);
  const what = list ? (entries.length === 1 ? "item" : "items") : entries.length === 1 ? "member" : "members";
  const branch = make(
    "details",
    {},
    make("summary", {}, label, open, make("span", { class: "count" }, ` ${entries.length} ${what} `), close),
  );
  const grow = () => {
    if (branch.open && branch.childElementCount === 1) addEntries(branch, entries, depth + 1);
  };
  branch.addEventListener("toggle", grow);
  branch.open = depth < OPEN_DEPTH && entries.length <= MOST_CHILDREN;
  grow();
  return branch;
}

function addEntries(branch, entries, depth, from = 0) {
  const until = from + MOST_CHILDREN;
  branch.append(...entries.slice(from, until).map(([key, value]) => tree(key, value, depth)));
  if (entries.length <= until) return;
  const more = make("button", { type: "button", class: "plain" }, `${entries.length - until} more`);
  more.addEventListener("click", () => {
    more.remove();
    addEntries(branch, entries, depth, until);
  });
  branch.append(more);
}

function scalar(value) {
  if (value instanceof Numeral) return make("span", { class: "scalar number" }, value.text);
  const type = value === null ? "null" : typeof value;
  return make("span", { class: `scalar ${type}` }, JSON.stringify(value));
}
