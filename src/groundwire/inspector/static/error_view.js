/** The Error view: what broke. For a refused request the rule, the octet and the corrected form. */

import { absent, decoded, lasted, make, reference, section } from "./nodes.js";
import { Octets } from "./octets.js";

/** Make the view of an exchange. */
export function errorView(exchange) {
  const { refusal, error, logs } = exchange;
  return make(
    "div",
    { class: "reading-column" },
    refusal ? refused(exchange) : null,
    error ? failed(error) : null,
    !refusal && !error
      ? absent("Nothing went wrong: no rule was broken, and no exception was raised.")
      : null,
    section("Log records", logs.length ? logTable(logs) : absent("None were written during this exchange.")),
  );
}

function refused({ refusal, request }) {
  const { message, section: name, url, rule, offset, status, corrected, changes } = refusal;
  const sent = new Octets(decoded(request.raw), {
    label: "As it was sent",
    elements: request.elements,
    masked: request.masked,
    offending: offset,
    missing: request.size - request.kept,
  });
  requestAnimationFrame(() => sent.bringOffending());
  const place = offset === null || offset === undefined ? "" : `Decided at octet ${offset}, marked below. `;
  return [
    make(
      "div",
      { class: "rule-broken" },
      make("h3", {}, message),
      make("p", {}, rule ? `${rule} ` : null, reference(url, name)),
      make("p", { class: "quiet" }, place, `Answered with ${status}, and the connection closed.`),
    ),
    section("As it was sent", sent.node),
    section(
      "Corrected",
      corrected
        ? [changeList(changes), correctedForm(request, corrected)]
        : [changeList(changes), absent("It is not clear what was meant; there is no corrected form.")],
    ),
  ];
}

/** The corrected octets; what differs from those that were sent is lit. */
function correctedForm(request, corrected) {
  const [before, after] = [decoded(request.raw), decoded(corrected)];
  const shorter = Math.min(before.length, after.length);
  let same = 0;
  while (same < shorter && before[same] === after[same]) same++;
  let tail = 0;
  while (tail < shorter - same && before.at(-1 - tail) === after.at(-1 - tail)) tail++;
  const changed = { kind: "changed", start: same, end: after.length - tail };
  const shown = new Octets(after, { label: "Corrected", elements: [changed] });
  shown.light(changed.start, changed.end);
  return shown.node;
}

function changeList(changes) {
  return changes?.length
    ? make(
        "ul",
        { class: "changes" },
        changes.map((change) => make("li", {}, change)),
      )
    : null;
}

function failed({ class: name, message, traceback, handled }) {
  return [
    make(
      "div",
      { class: handled ? "raised" : "rule-broken" },
      make("h3", {}, name, message ? make("span", { class: "said" }, `: ${message}`) : null),
      make(
        "p",
        {},
        handled
          ? "An error handler of the application dealt with it."
          : "Nothing in the application dealt with it.",
      ),
    ),
    traceback
      ? section(
          "Traceback",
          make("pre", { class: "block traceback", tabindex: 0 }, make("code", {}, frames(traceback))),
        )
      : null,
  ];
}

/** The lines of a traceback. Frames of the program stand out from those of libraries and of Groundwire. */
function frames(traceback) {
  const lines = traceback.replace(/\n$/, "").split("\n");
  let kind = "";
  return lines.map((line, index) => {
    const file = /^\s+(?:\| )?File "([^"]*)"/.exec(line)?.[1];
    if (file !== undefined) kind = LIBRARY.test(file) ? "library" : "own";
    else if (!/^\s/.test(line)) kind = index === lines.length - 1 ? "last" : "";
    return make("span", { class: kind || null }, `${line}\n`);
  });
}

const LIBRARY = /[\\/](?:site-packages|dist-packages|lib[\\/]python[\d.]+|src[\\/]groundwire)[\\/]|^<frozen/;

function logTable(logs) {
  const rows = logs.map(({ at_us: at, level, logger, message, file, line }) =>
    make(
      "tr",
      {},
      make("td", { class: "figure quiet" }, lasted(at)),
      make(
        "td",
        { class: /^(ERROR|CRITICAL)$/.test(level) ? "wrong" : level === "WARNING" ? "warning" : "quiet" },
        level,
      ),
      make(
        "td",
        {},
        message,
        make(
          "span",
          { class: "quiet file" },
          [logger, file ? `${file}:${line}` : null].filter(Boolean).join(" · "),
        ),
      ),
    ),
  );
  return make("table", { class: "logs" }, make("tbody", {}, rows));
}
