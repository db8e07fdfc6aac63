/**
 * Making nodes, and writing figures.
 *
 * Everything that is shown was sent by a stranger. Data becomes text nodes and nothing else: no markup is ever
 * built from a string, and the only addresses followed are those `reference` lets through.
 */

/**
 * Make an element.
 *
 * @param {string} tag
 * @param {Object} properties attributes; `data` for data-*; `on` for listeners by event. null and false: left out
 * @param {...(Node|string|number|null|Array)} children null and false are left out.
 */
export function make(tag, properties = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (value === null || value === undefined || value === false) continue;
    if (name === "data") Object.assign(node.dataset, value);
    else if (name === "on")
      for (const [event, listen] of Object.entries(value)) node.addEventListener(event, listen);
    else node.setAttribute(name, value === true ? "" : value);
  }
  fill(node, ...children);
  return node;
}

/** Put children behind those a node has. */
export function fill(node, ...children) {
  for (const child of children.flat(Infinity)) {
    if (child !== null && child !== undefined && child !== false) node.append(child);
  }
  return node;
}

/** Put children in place of those a node has. */
export function refill(node, ...children) {
  node.replaceChildren();
  return fill(node, ...children);
}

/** A link to a document elsewhere, in a tab of its own. It learns nothing of this page. Not https: only the text. */
export function reference(url, text) {
  if (!/^https:\/\//.test(url ?? "")) return text ? make("span", {}, text) : null;
  return make(
    "a",
    { href: url, target: "_blank", rel: "noreferrer noopener", class: "reference" },
    text ?? sectionOf(url),
  );
}

/** "RFC 9110 §7.2" of the address of an RFC; of any other its host. */
export function sectionOf(url) {
  const found = /\/rfc(\d+)(?:\.html)?(?:#(?:section|appendix)-([\w.]+))?$/.exec(url);
  if (!found) return new URL(url).host;
  return found[2] ? `RFC ${found[1]} §${found[2]}` : `RFC ${found[1]}`;
}

/** What others say in a few words, as a sentence. */
export function sentence(text) {
  if (!text) return "";
  return text.charAt(0).toUpperCase() + text.slice(1) + (/[.!?…]$/.test(text) ? "" : ".");
}

/** A value in which secrets were hidden: the asterisks that stand for them are set apart. */
export function veiled(text) {
  return text
    .split(/(\*{4,})/)
    .map((piece, index) =>
      index % 2 ? make("span", { class: "masked", title: "Hidden before it was kept" }, piece) : piece,
    );
}

/** A heading of a view with what stands under it. `aside`: a short remark to the right. */
export function section(title, ...children) {
  return make("section", { class: "part" }, make("h3", {}, title), children);
}

/** What stands where nothing is to be shown: a sentence that says why. */
export function absent(...sentences) {
  return make("p", { class: "absent" }, sentences);
}

/** A message of the page itself: what came of something that was asked for. `kind`: "", "warning" or "wrong". */
export function notice(kind, ...children) {
  return make("p", { class: `notice ${kind}`, role: kind === "wrong" ? "alert" : "status" }, children);
}

const GROUPED = new Intl.NumberFormat("en", { maximumFractionDigits: 0 });

/** 1536 → "1,536". */
export const grouped = (number) => GROUPED.format(number);

/** Octets for a list: "640 B", "1.5 KiB", "3.2 MiB". */
export function sized(octets) {
  if (octets < 1024) return `${octets} B`;
  if (octets < 1024 * 1024) return `${rounded(octets / 1024)} KiB`;
  return `${rounded(octets / 1024 / 1024)} MiB`;
}

/** Octets in a sentence: "1 octet", "1,536 octets". */
export const octets = (count) => `${grouped(count)} ${count === 1 ? "octet" : "octets"}`;

/** Microseconds for a person: "412 µs", "4.2 ms", "1.2 s". null: not known yet. */
export function lasted(microseconds) {
  if (microseconds === null || microseconds === undefined) return "…";
  if (microseconds < 0) return `−${lasted(-microseconds)}`;
  if (microseconds < 1000) return `${Math.round(microseconds)} µs`;
  if (microseconds < 1e6) return `${rounded(microseconds / 1000)} ms`;
  return `${rounded(microseconds / 1e6)} s`;
}

const rounded = (number) => (number < 99.95 ? number.toFixed(1) : grouped(number));

/** The time of day with milliseconds, where the reader is. */
export function timeOfDay(iso) {
  const date = new Date(iso);
  if (Number.isNaN(date.getTime())) return "";
  const two = (number) => String(number).padStart(2, "0");
  return (
    `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}.` +
    String(date.getMilliseconds()).padStart(3, "0")
  );
}

/** The octets of a base64 text. */
export function decoded(base64) {
  const text = atob(base64 ?? "");
  const data = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) data[i] = text.charCodeAt(i);
  return data;
}

/** Octets as base64. */
export function encoded(data) {
  let text = "";
  for (let i = 0; i < data.length; i += 8192) text += String.fromCharCode(...data.subarray(i, i + 8192));
  return btoa(text);
}

/** Whether a key is for the control it was pressed in: what is typed there is no command. */
export function takesKeys(target) {
  return (
    target instanceof Element && target.closest("input:not([type=radio]), textarea, select, dialog") !== null
  );
}

/** Arrow keys, Home and End move the focus among nodes of which one at a time is in the order of Tab. */
export function rove(event, nodes, { next = "ArrowDown", previous = "ArrowUp" } = {}) {
  const at = nodes.indexOf(document.activeElement);
  const to = { [next]: at + 1, [previous]: at - 1, Home: 0, End: nodes.length - 1 }[event.key];
  if (at < 0 || to === undefined) return null;
  event.preventDefault();
  event.stopPropagation();
  const node = nodes[Math.max(0, Math.min(nodes.length - 1, to))];
  nodes[at].tabIndex = -1;
  node.tabIndex = 0;
  node.focus();
  return node;
}
