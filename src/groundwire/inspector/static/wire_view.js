/** The Wire view: the octets of both messages side by side, and what they were understood as. */

import { describe } from "./kinds.js";
import { absent, decoded, grouped, make, octets as counted, reference, refill, rove } from "./nodes.js";
import { Octets, inOneLine } from "./octets.js";

const MOST_ROWS = 400; // elements listed; their octets light up all the same
const UNANSWERED = {
  receiving: "The request is still coming.",
  answering: "The answer is being made.",
  "broken off": "The connection broke before there was an answer.",
  "client gone": "The client went away before there was an answer.",
};

let form = "text"; // what the reader chose last holds for the next request too

/** Make the view of an exchange. */
export function wireView(exchange) {
  const refusal = exchange.refusal;
  const panels = [new Panel("Request", exchange.request, refusal)];
  if (exchange.response) panels.push(new Panel("Response", exchange.response, null));
  const choice = formChoice((chosen) => panels.forEach((panel) => panel.octets.show(chosen)));
  const second =
    panels[1]?.node ??
    make(
      "article",
      { class: "message" },
      title("Response"),
      absent(UNANSWERED[exchange.state] ?? "There was no answer."),
    );
  const node = make(
    "div",
    { class: "wire" },
    make("div", { class: "toolbar" }, choice, hint(exchange)),
    make("div", { class: "pair" }, panels[0].node, second),
  );
  requestAnimationFrame(() => panels[0].octets.bringOffending());
  return node;
}

/** Text or hexadecimal digits, for both messages. */
function formChoice(choose) {
  const option = (value, label) => {
    const input = make("input", {
      type: "radio",
      name: "form",
      value,
      on: { change: () => choose((form = value)) },
    });
    input.checked = form === value;
    return make("label", {}, input, make("span", {}, label));
  };
  if (form !== "text") queueMicrotask(() => choose(form));
  return make(
    "fieldset",
    { class: "choice", "aria-keyshortcuts": "x" },
    make("legend", { class: "hidden" }, "Octets as"),
    option("text", "Text"),
    option("hex", "Hex"),
  );
}

function hint(exchange) {
  const hidden = exchange.request.masked.length + (exchange.response?.masked.length ?? 0);
  if (!hidden) return null;
  return make(
    "p",
    { class: "hint" },
    make("span", { class: "masked sample" }, "***"),
    ` ${hidden === 1 ? "A secret was" : `${hidden} secrets were`} hidden before this was kept. The lengths are true.`,
  );
}

function title(name, ...more) {
  return make("header", {}, make("h3", {}, name), ...more);
}

/** One message: its octets, a line that explains what is lit, and the list of its elements. */
class Panel {
  constructor(name, message, refusal) {
    this.message = message;
    this.data = decoded(message.raw);
    this.pinned = null;
    this.octets = new Octets(this.data, {
      label: `${name}, octets`,
      elements: message.elements,
      masked: message.masked,
      offending: refusal?.offset ?? null,
      missing: message.size - message.kept,
      point: (element, clicked) => this.pointed(element, clicked),
    });
    this.reading = make("p", { class: "reading", "aria-live": "polite" });
    this.list = make("ul", { class: "elements", "aria-label": `${name}, elements` });
    this.rows = message.elements.slice(0, MOST_ROWS).map((element, index) => this.row(element, index));
    this.list.append(...this.rows.map((row) => make("li", {}, row)));
    if (message.elements.length > MOST_ROWS) {
      this.list.append(
        make(
          "li",
          { class: "absent" },
          `${grouped(message.elements.length - MOST_ROWS)} more light up in the octets above.`,
        ),
      );
    }
    this.list.addEventListener("keydown", (event) => rove(event, this.rows));
    this.idle = refusal
      ? this.broken(refusal)
      : [make("span", { class: "quiet" }, "Point at the octets, or at an element below.")];
    refill(this.reading, this.idle);
    const size = make(
      "span",
      { class: "quiet" },
      counted(message.size),
      message.cut ? `, ${grouped(message.kept)} kept` : "",
    );
    this.node = make(
      "article",
      { class: "message", "aria-label": name },
      title(name, size),
      this.octets.node,
      this.reading,
      this.list,
    );
  }

  broken(refusal) {
    return [
      make("strong", { class: "wrong" }, "Refused here"),
      ` ${refusal.message} `,
      reference(refusal.url, refusal.section),
    ];
  }

  row(element, index) {
    const { label } = describe(element.kind);
    const { start, end } = element;
    const masked = this.message.masked.some(([from, to]) => from <= start && end <= to && start < end);
    const depth = this.message.elements
      .slice(Math.max(0, index - 40), index)
      .filter((outer) => outer.start <= start && end <= outer.end).length;
    const shown = start === end ? "nothing" : masked ? "hidden" : inOneLine(this.data, start, end);
    return make(
      "button",
      {
        type: "button",
        class: `element depth-${Math.min(depth, 3)}`,
        tabindex: index === 0 ? 0 : -1,
        "aria-label": `${label}: ${shown}`,
        data: { kind: element.kind, from: start, to: end },
        on: {
          pointerenter: () => this.explain(element),
          pointerleave: () => this.explain(this.pinned),
          focus: () => this.explain(element, true),
          blur: () => this.explain(this.pinned),
          click: () => this.pin(element),
        },
      },
      make("span", { class: "kind" }, label),
      make("span", { class: start === end || masked ? "value quiet" : "value" }, shown),
    );
  }

  /** The pointer is over the octets of an element, or over none. */
  pointed(element, clicked) {
    if (clicked && element) this.pin(element);
    else this.explain(element ?? this.pinned);
    if (element) this.bringRow(element);
  }

  /** An element that was clicked stays lit when the pointer leaves it; a second click lets it go. */
  pin(element) {
    this.pinned = this.pinned === element ? null : element;
    this.explain(element);
  }

  /** Light an element's octets and its row, and say what it is. null: nothing. */
  explain(element, bring = false) {
    this.octets.light(element?.start ?? 0, element?.end ?? 0, bring);
    this.rows.forEach((row, index) => {
      const other = this.message.elements[index];
      row.classList.toggle("lit", other === element);
      row.classList.toggle(
        "around",
        element !== null && other !== element && other.start <= element.start && element.end <= other.end,
      );
    });
    refill(this.reading, element ? this.explanation(element) : this.idle);
  }

  explanation({ kind, name, start, end }) {
    const known = describe(kind);
    const field =
      name && /^(field|trailer)-/.test(kind)
        ? this.message.fields.find((field) => field.start <= start && end <= field.end)
        : null;
    const said = field?.note || known.sentence;
    const place =
      start === end
        ? `at octet ${grouped(start)}: empty`
        : end - start === 1
          ? `octet ${grouped(start)}`
          : `octets ${grouped(start)}–${grouped(end - 1)}`;
    return [
      make("strong", {}, known.label),
      field ? make("code", {}, ` ${field.name} `) : " ",
      make("span", { class: "sentence" }, said, " "),
      reference(field?.note ? field.url || known.url : known.url),
      make("span", { class: "quiet place" }, ` ${place}`),
    ];
  }

  /** Scroll the list of elements, and not the page, until a row is in sight. */
  bringRow(element) {
    const row = this.rows[this.message.elements.indexOf(element)];
    if (!row) return;
    const [outer, inner] = [this.list.getBoundingClientRect(), row.getBoundingClientRect()];
    if (inner.top < outer.top) this.list.scrollTop -= outer.top - inner.top;
    else if (inner.bottom > outer.bottom) this.list.scrollTop += inner.bottom - outer.bottom;
  }
}
