/**
 * Octets made visible: as text with its line ends shown, or as hexadecimal digits.
 *
 * A message may be 64 KiB long. As text it is made into nodes piece by piece as somebody scrolls down to them; as
 * digits only the rows in sight have nodes at all. Which octets are lit is kept as a range, so nodes that are made
 * later come lit.
 */

import { make, octets as counted } from "./nodes.js";

const PIECE = 4096; // octets of text made into nodes at a time
const LONGEST = 1024; // octets in one node of text
const ROW_PIXELS = 22; // height of a row of digits; wire.css says the same
const ROWS_AROUND = 12; // rows made above and below those in sight
const CELL_PIXELS = 29; // what an octet takes as digits and as character
const LEFT_PIXELS = 96; // what the offset at the start of a row takes, and the room between

export class Octets {
  /**
   * @param {Uint8Array} data the octets that were kept
   * @param {Object} about
   * @param {string} about.label the name a screen reader says
   * @param {Array} about.elements `{kind, start, end}`; those within others come later or are shorter
   * @param {Array<[number, number]>} about.masked what was hidden before it was kept
   * @param {number|null} about.offending the octet that broke a rule; may be the length: what is missing there
   * @param {number} about.missing how many more octets there were on the wire
   * @param {function(Object|null, boolean)} about.point called with the element under the pointer; true: clicked
   */
  constructor(data, { label, elements = [], masked = [], offending = null, missing = 0, point = () => {} }) {
    this.data = data;
    this.elements = elements;
    this.masked = masked;
    this.offending = offending;
    this.missing = missing;
    this.owner = innermost(data.length, elements);
    this.lit = [0, 0];
    this.form = "";
    this.node = make("div", { class: "octets", role: "group", "aria-label": label, tabindex: 0 });
    this.node.addEventListener("pointerover", (event) => point(this.elementUnder(event.target), false));
    this.node.addEventListener("pointerleave", () => point(null, false));
    this.node.addEventListener("click", (event) => point(this.elementUnder(event.target), true));
    this.node.addEventListener("scroll", () => this.scrolled(), { passive: true });
    this.resized = new ResizeObserver(() => this.form === "hex" && this.layRows());
    this.resized.observe(this.node);
    this.show("text");
  }

  /** Show as "text" or as "hex". */
  show(form) {
    if (form === this.form) return;
    this.form = form;
    this.node.className = `octets as-${form}`;
    this.node.replaceChildren();
    this.node.scrollTop = 0;
    if (form === "text") this.startText();
    else this.startRows();
  }

  /**
   * Light the octets from start up to end, and put out all others.
   *
   * With nothing in between, the place itself is marked. `bring`: scroll there.
   */
  light(start, end, bring = false) {
    this.lit = [start, end];
    if (this.form === "text") {
      this.makeUpTo(Math.min(end, start + PIECE) + 1);
      for (const node of this.nodes) this.mark(node);
      if (bring) this.bring(this.node.querySelector(".lit, .lit-before"));
    } else {
      if (bring && end >= start) this.bringRow(Math.floor(start / this.across));
      this.drawRows();
      for (const node of this.window.querySelectorAll("[data-start]")) this.mark(node);
    }
  }

  /** The octet that broke a rule is brought into sight. */
  bringOffending() {
    if (this.offending === null) return;
    if (this.form === "hex") return this.bringRow(Math.floor(this.offending / this.across));
    this.makeUpTo(this.offending + 1);
    this.bring(this.node.querySelector(".offending"));
  }

  elementUnder(target) {
    const node = target instanceof Element ? target.closest("[data-start]") : null;
    const owner = node ? this.owner[Number(node.dataset.start)] : -1;
    return owner === undefined || owner < 0 ? null : this.elements[owner];
  }

  scrolled() {
    if (this.form === "hex") return this.drawRows();
    if (this.node.scrollTop + 2 * this.node.clientHeight > this.node.scrollHeight)
      this.makeUpTo(this.made + 1);
  }

  // --- as text ----------------------------------------------------------------------------------------------

  startText() {
    this.cuts = this.cutPoints();
    this.nodes = [];
    this.made = 0; // octets that have nodes
    this.next = 0; // index into cuts of the first without
    this.ended = false;
    this.text = this.node.appendChild(make("code", { class: "text" }));
    this.makeUpTo(1);
  }

  /** Where nodes begin: at elements, masks, the offending octet, line ends, and after so many octets. */
  cutPoints() {
    const { data } = this;
    const flags = new Uint8Array(data.length + 1);
    for (const { start, end } of this.elements) flags[start] = flags[end] = 1;
    for (const [start, end] of this.masked) flags[start] = flags[end] = 1;
    if (this.offending !== null) flags[this.offending] = flags[Math.min(this.offending + 1, data.length)] = 1;
    for (let i = 0; i < data.length; i++) {
      if (data[i] === 10) {
        flags[i > 0 && data[i - 1] === 13 ? i - 1 : i] = flags[i + 1] = 1;
      } else if (data[i] === 13) {
        flags[i] = 1;
        if (data[i + 1] !== 10) flags[i + 1] = 1;
      }
    }
    const cuts = [];
    let last = 0;
    for (let i = 0; i < data.length; i++) {
      const long = i - last >= LONGEST && (data[i] & 0xc0) !== 0x80; // never within a character of UTF-8
      if (i === 0 || flags[i] || long) cuts.push((last = i));
    }
    cuts.push(data.length);
    return cuts;
  }

  /** Make nodes, a piece at a time, until there are some for all octets before `offset`. */
  makeUpTo(offset) {
    const { data, cuts } = this;
    while (this.made < Math.min(offset, data.length)) {
      const piece = document.createDocumentFragment();
      const stop = this.made + PIECE;
      while (this.made < data.length && this.made < stop) {
        const [start, end] = [cuts[this.next], cuts[++this.next]];
        const node = this.textNode(start, end);
        this.nodes.push(node);
        this.mark(node);
        piece.append(node);
        this.made = end;
      }
      this.text.append(piece);
    }
    if (this.made >= data.length && !this.ended) this.endText();
  }

  /** What stands behind the last octet: that the next one is missing, or that no more was kept. */
  endText() {
    this.ended = true;
    if (this.offending !== null && this.offending >= this.data.length) {
      this.text.append(make("span", { class: "offending end", title: "Here the rule was broken." }, "end"));
    }
    if (this.missing > 0) {
      this.text.append(make("span", { class: "cut" }, `… ${counted(this.missing)} more were not kept`));
    }
  }

  textNode(start, end) {
    const { data, elements } = this;
    const kind = elements[this.owner[start]]?.kind;
    const node = make("span", { data: kind ? { start, end, kind } : { start, end } });
    if (this.isMasked(start)) {
      node.className = "masked";
      node.title = `Hidden: ${counted(end - start)}`;
      node.append("*".repeat(end - start));
    } else if (data[start] === 13 || data[start] === 10) {
      const names = [...data.subarray(start, end)].map((octet) => (octet === 13 ? "CR" : "LF"));
      node.className = "line-end";
      for (const name of names) node.append(make("i", {}, name));
      if (names.at(-1) === "LF") node.append("\n");
    } else {
      node.append(...readable(data, start, end));
    }
    if (start === this.offending) {
      node.classList.add("offending");
      node.title = "Here the rule was broken.";
    }
    return node;
  }

  isMasked(offset) {
    return this.masked.some(([start, end]) => start <= offset && offset < end);
  }

  /** Light a node, or put it out. */
  mark(node) {
    const [start, end] = this.lit;
    const at = Number(node.dataset.start);
    node.classList.toggle("lit", at >= start && at < end);
    node.classList.toggle("lit-before", start === end && start > 0 && at === start);
  }

  /** Scroll the octets, and not the page around them, until a node is in sight. */
  bring(node) {
    if (!node) return;
    const [outer, inner] = [this.node.getBoundingClientRect(), node.getBoundingClientRect()];
    if (inner.top < outer.top + 8) this.node.scrollTop -= outer.top + 8 - inner.top;
    else if (inner.bottom > outer.bottom - 8) {
      this.node.scrollTop += Math.min(inner.bottom - outer.bottom + 24, inner.top - outer.top - 8);
    }
  }

  // --- as digits --------------------------------------------------------------------------------------------

  startRows() {
    this.rows = this.node.appendChild(make("div", { class: "digits" }));
    this.window = make("div", { class: "window" });
    this.rows.append(this.window);
    if (this.missing > 0)
      this.node.append(make("p", { class: "cut" }, `… ${counted(this.missing)} more were not kept`));
    this.across = 0;
    this.layRows();
  }

  layRows() {
    const fitting = (this.node.clientWidth - LEFT_PIXELS) / CELL_PIXELS;
    const across = fitting >= 16 ? 16 : fitting >= 8 ? 8 : 4;
    if (across === this.across) return this.drawRows(true);
    this.across = across;
    this.rows.style.setProperty("--across", across);
    this.rows.style.height = `${Math.ceil((this.data.length + 1) / across) * ROW_PIXELS}px`;
    this.drawRows(true);
  }

  drawRows(anew = false) {
    const count = Math.ceil((this.data.length + 1) / this.across);
    const height = this.node.clientHeight || 400;
    const above = Math.floor(this.node.scrollTop / ROW_PIXELS / ROWS_AROUND) - 1;
    const first = Math.max(0, above * ROWS_AROUND);
    if (!anew && first === this.drawn) return;
    this.drawn = first;
    const last = Math.min(count, first + Math.ceil(height / ROW_PIXELS) + 3 * ROWS_AROUND);
    const nodes = [];
    for (let row = first; row < last; row++) nodes.push(this.rowNode(row * this.across));
    this.window.style.transform = `translateY(${first * ROW_PIXELS}px)`;
    this.window.replaceChildren(...nodes);
  }

  rowNode(from) {
    const digits = make("span", { class: "pairs" });
    const characters = make("span", { class: "characters", "aria-hidden": "true" });
    for (let at = from; at < Math.min(from + this.across, this.data.length); at++) {
      const octet = this.data[at];
      const masked = this.isMasked(at);
      const printable = octet > 31 && octet < 127;
      const marks = `octet${masked ? " masked" : ""}${at === this.offending ? " offending" : ""}`;
      const data = { start: at, end: at + 1 };
      const pair = make("span", { class: marks, data }, masked ? "**" : octet.toString(16).padStart(2, "0"));
      const shown = masked ? "*" : printable ? String.fromCharCode(octet) : "·";
      const character = make("span", { class: marks + (printable ? "" : " other"), data }, shown);
      this.mark(pair);
      this.mark(character);
      digits.append(pair);
      characters.append(character);
    }
    if (
      this.offending === this.data.length &&
      from + this.across > this.data.length &&
      from <= this.data.length
    ) {
      digits.append(make("span", { class: "offending" }, "··"));
    }
    return make(
      "div",
      { class: "row" },
      make("span", { class: "offset" }, from.toString(16).padStart(5, "0")),
      digits,
      characters,
    );
  }

  bringRow(row) {
    const [top, height] = [row * ROW_PIXELS, this.node.clientHeight];
    if (top < this.node.scrollTop || top + ROW_PIXELS > this.node.scrollTop + height) {
      this.node.scrollTop = Math.max(0, top - height / 3);
    }
  }
}

/** For each octet the index of the shortest element around it; -1: none. Of equal ones the later. */
function innermost(length, elements) {
  const owner = new Int32Array(length).fill(-1);
  const order = elements.map((_, index) => index);
  const size = (index) => elements[index].end - elements[index].start;
  order.sort((a, b) => size(b) - size(a) || a - b);
  for (const index of order) owner.fill(index, elements[index].start, elements[index].end);
  return owner;
}

const UTF8 = new TextDecoder("utf-8", { fatal: true });
// Control characters, and those that turn text around or take no room: seen, they would lie about the octets.
const UNSEEN = /[\p{C}\p{Zl}\p{Zp}]|(?! )\p{Zs}/u;

/** Octets in one line: characters, and the rest as escapes; cut off after `most` octets. */
export function inOneLine(data, start, end, most = 200) {
  if (end - start === 2 && data[start] === 13 && data[start + 1] === 10) return "CR LF";
  const stop = Math.min(end, start + most);
  let text = "";
  for (let i = start; i < stop; i++) {
    if (data[i] === 13) text += "\\r";
    else if (data[i] === 10) text += "\\n";
    else {
      const size = characterSize(data, i, stop);
      const character = size ? UTF8.decode(data.subarray(i, i + size)) : "";
      if (size && !UNSEEN.test(character)) {
        text += character;
        i += size - 1;
      } else text += escape(data[i]);
    }
  }
  return stop < end ? `${text}…` : text;
}

/** Text nodes for octets without line ends: characters as they are, anything else as \xNN set apart. */
function readable(data, start, end) {
  const parts = [];
  let text = "";
  let escaped = "";
  const flush = () => {
    if (text) parts.push(text);
    if (escaped) parts.push(make("span", { class: "escaped" }, escaped));
    text = escaped = "";
  };
  for (let i = start; i < end;) {
    const size = characterSize(data, i, end);
    const character =
      size === 0 ? "" : size === 1 ? String.fromCharCode(data[i]) : UTF8.decode(data.subarray(i, i + size));
    if (size && !UNSEEN.test(character)) {
      if (escaped) flush();
      text += character;
      i += size;
    } else {
      if (text) flush();
      for (const stop = i + (size || 1); i < stop; i++) escaped += escape(data[i]);
    }
  }
  flush();
  return parts;
}

const NAMED = { 0: "\\0", 9: "\\t" };

/** How an octet that is no character is written. */
export const escape = (octet) => NAMED[octet] ?? `\\x${octet.toString(16).padStart(2, "0")}`;

/** How many octets the character of UTF-8 at `i` has; 0: there is none. */
export function characterSize(data, i, end) {
  const first = data[i];
  if (first < 0x80) return 1;
  const size = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : first >= 0xc2 ? 2 : 0;
  if (size === 0 || i + size > end) return 0;
  try {
    UTF8.decode(data.subarray(i, i + size));
    return size;
  } catch {
    return 0;
  }
}
