/** The Response view: why each field is there, and what the request's wishes did to the answer. */

import { absent, make, octets, reference, section, sentence, veiled } from "./nodes.js";

const CLASSES = {
  1: "A word in between; the answer follows.",
  2: "It went well.",
  3: "The client is to look elsewhere, or has it already.",
  4: "The request cannot be served as it is.",
  5: "The request may be right; the server failed.",
};

/** Make the view of an exchange. */
export function responseView(exchange) {
  const { response, status, reason } = exchange;
  if (!response) return absent("There is no response.");
  return make(
    "div",
    { class: "reading-column" },
    make(
      "p",
      { class: "lead" },
      make("strong", { class: `status class-${String(status)[0]}` }, `${status} ${reason}`),
      ` ${CLASSES[Math.floor(status / 100)] ?? ""} `,
      make("span", { class: "quiet" }, octets(response.size)),
    ),
    section("What the request asked for, and what it did", decisionList(exchange.decisions)),
    section("Fields, and why they are there", fieldList(response.fields)),
  );
}

function decisionList(decisions) {
  if (!decisions.length)
    return absent(
      "Nothing in the request changed the answer's form: no Accept, Accept-Encoding, If-None-Match or Range mattered.",
    );
  return make(
    "ul",
    { class: "decisions" },
    decisions.map(({ about, said, did }) =>
      make(
        "li",
        {},
        make("p", {}, make("strong", {}, about), said ? make("code", {}, ` ${said}`) : null),
        make("p", {}, sentence(did)),
      ),
    ),
  );
}

function fieldList(fields) {
  if (!fields.length) return absent("It has none.");
  return make(
    "ul",
    { class: "because" },
    fields.map(({ name, value, because, url, secret }) =>
      make(
        "li",
        {},
        make("p", { class: "field" }, make("strong", {}, name), ": ", secret ? veiled(value) : value),
        because
          ? make(
              "p",
              {},
              make("span", { class: `who ${slug(because.who)}` }, because.who),
              " ",
              sentence(because.why),
              " ",
              reference(url),
            )
          : null,
      ),
    ),
  );
}

/** Who set a field, as the name of a class: only those that wire.css knows look special. */
const slug = (who) =>
  String(who)
    .toLowerCase()
    .replace(/[^a-z]+/g, "-")
    .replace(/^-|-$/g, "");
