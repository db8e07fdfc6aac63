/** The difference of two answers, as `groundwire.inspector.difference` tells it. */

import { make, notice } from "./nodes.js";

/** Make nodes that tell of a difference. What differs every time, such as Date, is told of in a line. */
export function differenceOf(difference) {
  if (!difference || difference.same === undefined) return notice("", "There is nothing to compare with.");
  const { same, status, fields, content, notes } = difference;
  const telling = fields.filter((field) => !field.expected);
  const expected = fields.filter((field) => field.expected);
  return make(
    "div",
    { class: "difference" },
    same ? notice("same", "The same answer.") : null,
    status ? change("Status", [status.before ?? "no answer"], [status.after ?? "no answer"]) : null,
    telling.map(({ name, trailer, before, after }) =>
      change(trailer ? `Trailer ${name}` : name, before, after),
    ),
    content ? contentDifference(content) : null,
    expected.length
      ? make(
          "p",
          { class: "quiet" },
          "As expected, these differ: ",
          separated(expected.map(({ name, why }) => make("span", { title: why, class: "expected" }, name))),
          ".",
        )
      : null,
    (notes ?? []).map((note) => make("p", { class: "quiet" }, note)),
  );
}

function change(what, before, after) {
  return make(
    "div",
    { class: "change" },
    make("h4", {}, what),
    before.map((value) => make("p", { class: "removed" }, line("−", value))),
    after.map((value) => make("p", { class: "added" }, line("+", value))),
  );
}

const line = (sign, value) => [make("span", { class: "sign" }, sign), String(value)];

function contentDifference(content) {
  const { kind, before_octets: before, after_octets: after, more } = content;
  const told = { json: byPath, text: byLine, binary: byOctet }[kind] ?? (() => null);
  const sizes = before === after ? `${before} octets, as before` : `${before} octets, then ${after}`;
  return make(
    "div",
    { class: "change" },
    make("h4", {}, "Content ", make("span", { class: "quiet" }, sizes)),
    told(content),
    more ? make("p", { class: "quiet" }, "… and more") : null,
  );
}

function byPath({ paths }) {
  return paths.map((each) =>
    make(
      "div",
      {},
      make("p", { class: "where" }, each.path),
      "before" in each ? make("p", { class: "removed" }, line("−", JSON.stringify(each.before))) : null,
      "after" in each ? make("p", { class: "added" }, line("+", JSON.stringify(each.after))) : null,
    ),
  );
}

function byLine({ lines }) {
  if (!lines.length) return make("p", { class: "quiet" }, "Only line ends differ.");
  const kinds = { "-": "removed", "+": "added", "@": "where" };
  return lines.map((text) => {
    const kind = kinds[text[0]];
    return make(
      "p",
      { class: kind ?? "kept" },
      kind === "where" ? text : line(kind === "removed" ? "−" : text[0], text.slice(1)),
    );
  });
}

function byOctet({ offset, before_hex: before, after_hex: after }) {
  return [
    make("p", { class: "where" }, `from octet ${offset}`),
    make("p", { class: "removed" }, line("−", before || "(end)")),
    make("p", { class: "added" }, line("+", after || "(end)")),
  ];
}

const separated = (nodes) => nodes.flatMap((node, index) => (index ? [", ", node] : [node]));
