/** The Replay view: the request once more, edited if wanted, and what differs then; and the request to be copied. */

import { differenceOf } from "./difference.js";
import { bytesOf, textOf } from "./editing.js";
import {
  absent,
  decoded,
  encoded,
  grouped,
  lasted,
  make,
  notice,
  octets as counted,
  refill,
  section,
} from "./nodes.js";
import { Octets } from "./octets.js";

const FORMATS = [
  ["curl", "curl", "sh"],
  ["httpie", "HTTPie", "sh"],
  ["httpx", "Python", "py"],
  ["http", ".http", "http"],
  ["har", "HAR", "har"],
  ["pytest", "pytest", "py"],
];
const PREVIEW_MILLISECONDS = 120; // after the last key

/** Make the view of an exchange. `readOnly`: there is nobody to send it to, but it can be copied. */
export function replayView(exchange, readOnly) {
  if (readOnly)
    return make("div", { class: "replay reading-column" }, section("Copy as", exportsOf(exchange)));
  const editor = new Editor(exchange);
  return make(
    "div",
    { class: "replay reading-column" },
    section("Send again", editor.node),
    editor.outcome,
    section("Copy as", exportsOf(exchange)),
  );
}

/** The request to be edited, as octets or as fields, and the button that sends it. */
class Editor {
  constructor(exchange) {
    this.exchange = exchange;
    this.form = "raw";
    this.secrets = []; // a field for each value that was hidden, once their names are known
    this.outcome = make("div", { class: "outcome", "aria-live": "polite" });
    this.raw = new RawForm(exchange.request);
    this.fields = new FieldsForm(exchange);
    this.place = make("div", {}, this.raw.node);
    this.button = make(
      "button",
      { type: "button", class: "primary", on: { click: () => this.send() } },
      "Send",
    );
    const keys = make("span", { class: "quiet" }, make("kbd", {}, "Ctrl"), " ", make("kbd", {}, "Enter"));
    this.node = make(
      "div",
      { on: { keydown: (event) => this.key(event) } },
      make("div", { class: "toolbar" }, this.choice(), this.hint()),
      this.place,
      (this.asking = make("div", { class: "secrets" })),
      make("div", { class: "toolbar" }, this.button, keys),
    );
  }

  choice() {
    const option = (value, label) => {
      const input = make("input", {
        type: "radio",
        name: "editor",
        value,
        on: { change: () => this.choose(value) },
      });
      input.checked = value === this.form;
      return make("label", {}, input, make("span", {}, label));
    };
    return make(
      "fieldset",
      { class: "choice" },
      make("legend", { class: "hidden" }, "Edit as"),
      option("raw", "Octets"),
      option("fields", "Fields"),
    );
  }

  hint() {
    const { request } = this.exchange;
    const said = [];
    if (request.masked.length)
      said.push(
        "What was hidden is asterisks here. Send it, and you are asked for the values; or write over them.",
      );
    if (request.cut) said.push(`Only ${grouped(request.kept)} of ${counted(request.size)} were kept.`);
    return said.length ? make("p", { class: "hint" }, said.join(" ")) : null;
  }

  choose(form) {
    this.form = form;
    refill(this.place, this[form].node);
  }

  key(event) {
    if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey)) return;
    event.preventDefault();
    this.send();
  }

  async send() {
    if (this.button.disabled) return;
    this.button.disabled = true;
    refill(this.outcome, absent("Sent; waiting for the answer …"));
    try {
      const edited = this[this.form].edited();
      // What is edited is sent as it stands; hidden values are filled in where nothing else was changed.
      const body = { id: this.exchange.id, ...(edited ?? { fill: this.filled() }) };
      const response = await fetch("replay", {
        method: "POST",
        headers: { "Content-Type": "application/json" },
        body: JSON.stringify(body),
      });
      const problem = response.ok ? "" : await problemOf(response);
      if (response.ok) refill(this.outcome, this.answered(await response.json()));
      else refill(this.outcome, notice("wrong", problem));
    } catch (error) {
      refill(this.outcome, notice("wrong", `It could not be sent: ${error.message}.`));
    } finally {
      this.button.disabled = false;
    }
  }

  /** Hidden values that were given, by their names. */
  filled() {
    const given = this.secrets.map(({ name, value }) => [name, value]).filter(([, value]) => value !== "");
    return Object.fromEntries(given);
  }

  /** Ask for the values that were sent as asterisks. */
  askFor(masked) {
    const names = [...new Set(masked.map(({ name }) => name))];
    if (this.secrets.length || !names.length) return;
    this.secrets = names.map((name) => make("input", { name, autocomplete: "off", spellcheck: "false" }));
    refill(
      this.asking,
      make(
        "p",
        { class: "hint" },
        "These were hidden, and sent as asterisks. With their values, send it again:",
      ),
      this.secrets.map((input) => make("label", {}, make("span", {}, input.name), input)),
    );
  }

  answered({ id, response, response_masked: masked, difference, state, said, masked: hidden }) {
    this.askFor(hidden ?? []);
    const before = this.exchange.response;
    const link = id ? [" It was recorded as ", make("a", { href: `#${id}/wire` }, id), "."] : null;
    const trouble = state && state !== "answered" ? notice("warning", said || state, link) : null;
    const after = response
      ? new Octets(decoded(response), { label: "The new answer", masked: masked ?? [] }).node
      : absent("There was no answer.");
    const former = before
      ? new Octets(decoded(before.raw), {
          label: "The recorded answer",
          masked: before.masked,
          missing: before.size - before.kept,
        }).node
      : absent("There was no answer.");
    return [
      trouble,
      section("What differs", differenceOf(difference), trouble ? null : make("p", { class: "quiet" }, link)),
      make("div", { class: "pair" }, section("Then", former), section("Now", after)),
    ];
  }
}

/** All octets in one field of text, and below it what they are, with their line ends. */
class RawForm {
  constructor(request) {
    this.input = make("textarea", {
      class: "raw",
      spellcheck: "false",
      autocapitalize: "off",
      autocomplete: "off",
      rows: 10,
      wrap: "off",
      "aria-label": "Request, octets",
      "aria-describedby": "raw-help",
    });
    this.input.value = this.original = textOf(decoded(request.raw));
    this.input.addEventListener("input", () => this.typed());
    this.said = make("div", {});
    this.preview = make("div", {});
    const help = make(
      "p",
      { class: "hint", id: "raw-help" },
      "A line break is sent as CR LF. ",
      make("code", {}, "\\n"),
      ", ",
      make("code", {}, "\\r"),
      " and ",
      make("code", {}, "\\xNN"),
      " are single octets, ",
      make("code", {}, "\\\\"),
      " is a backslash. Break what you like: the server has seen worse.",
    );
    this.node = make(
      "div",
      {},
      this.input,
      help,
      this.said,
      make(
        "details",
        { class: "preview", open: true },
        make("summary", {}, "What will be sent"),
        this.preview,
      ),
    );
    this.draw();
  }

  typed() {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.draw(), PREVIEW_MILLISECONDS);
  }

  draw() {
    const data = bytesOf(this.input.value);
    refill(this.preview, new Octets(data, { label: "What will be sent" }).node);
    refill(this.said, this.lengthCheck(data));
  }

  /** Content-Length counts the content; whoever edits one forgets the other. */
  lengthCheck(data) {
    const [head, content] = splitHead(this.input.value);
    const said = /^content-length:[ \t]*(\d+)[ \t]*$/im.exec(head);
    if (!said || content === null || /^transfer-encoding:/im.test(head)) return null;
    const length = bytesOf(content).length;
    if (Number(said[1]) === length) return null;
    const mend = make(
      "button",
      { type: "button", on: { click: () => this.mendLength(head, content, length) } },
      `Say ${length}`,
    );
    return notice(
      "warning",
      `Content-Length says ${said[1]}, but the content has ${counted(length)}. `,
      mend,
    );
  }

  mendLength(head, content, length) {
    const mended = head.replace(/^(content-length:[ \t]*)\d+/im, `$1${length}`);
    this.input.value = `${mended}\n\n${content}`;
    this.input.focus();
    this.draw();
  }

  /** What is to be sent in place of what was recorded; null, if that is unchanged. */
  edited() {
    if (this.input.value === this.original) return null;
    return { raw: encoded(bytesOf(this.input.value)) };
  }
}

/** The head and the content of a request as text; null: there is no empty line yet. */
function splitHead(text) {
  const end = text.indexOf("\n\n");
  return end < 0 ? [text, null] : [text.slice(0, end), text.slice(end + 2)];
}

/** The octets of a request's content, out of their chunks. */
function contentOf({ raw, elements }) {
  const data = decoded(raw);
  const pieces = elements.filter(({ kind }) => kind === "content" || kind === "chunk-data");
  return Uint8Array.from(pieces.flatMap(({ start, end }) => [...data.subarray(start, end)]));
}

/** Method, target and fields each for itself. The server writes the message: its framing is always right. */
class FieldsForm {
  constructor({ method, target, request }) {
    this.method = make("input", {
      value: method || "GET",
      "aria-label": "Method",
      spellcheck: "false",
      class: "method",
    });
    this.target = make("input", {
      value: target || "/",
      "aria-label": "Target",
      spellcheck: "false",
      class: "target",
    });
    this.list = make("div", { class: "field-inputs" });
    for (const { name, value } of request.fields) this.add(name, value);
    this.content = make("textarea", { class: "raw", rows: 5, spellcheck: "false", "aria-label": "Content" });
    const { text, coding } = request.content;
    this.recorded = contentOf(request);
    this.content.value = text;
    this.shown = this.content.value; // which has its own line ends
    if (this.recorded.length && !text) this.content.placeholder = `${counted(this.recorded.length)}, no text`;
    this.node = make(
      "div",
      { class: "fields-form" },
      make("div", { class: "start-inputs" }, this.method, this.target),
      this.list,
      make("button", { type: "button", on: { click: () => this.add("", "").focus() } }, "Add a field"),
      make(
        "label",
        { class: "content-input" },
        make(
          "span",
          { class: "quiet" },
          "Content, sent as it came, or as UTF-8 if you change it; its length is counted for you. ",
          coding && `It came coded (${coding}): whoever changes it takes Content-Encoding away.`,
        ),
        this.content,
      ),
    );
  }

  add(name, value) {
    const input = make("input", {
      value: name,
      placeholder: "Name",
      "aria-label": "Field name",
      spellcheck: "false",
    });
    const remove = make(
      "button",
      { type: "button", "aria-label": `Remove ${name || "field"}`, on: { click: () => row.remove() } },
      "×",
    );
    const row = make(
      "div",
      { class: "field-input" },
      input,
      make("input", {
        value,
        placeholder: "Value",
        "aria-label": `Value of ${name || "the field"}`,
        spellcheck: "false",
      }),
      remove,
    );
    this.list.append(row);
    return input;
  }

  edited() {
    const fields = [...this.list.children]
      .map((row) => [row.children[0].value, row.children[1].value])
      .filter(([name]) => name !== "");
    const untouched = this.content.value === this.shown;
    const content = untouched ? this.recorded : new TextEncoder().encode(this.content.value);
    return { method: this.method.value, target: this.target.value, fields, content: encoded(content) };
  }
}

// --- copies -------------------------------------------------------------------------------------------------

/** The request as a command or a file: chosen, read, copied, kept. */
function exportsOf({ id, request }) {
  const shown = make("pre", { class: "block", tabindex: 0, "aria-label": "The request as it can be copied" });
  const said = make("span", { class: "quiet", role: "status" });
  const copy = make("button", { type: "button" }, "Copy");
  const keep = make("a", { class: "button" }, "Download");
  const address = (format) => `requests/${encodeURIComponent(id)}/export?as=${format}`;
  const choose = async ([format, , suffix]) => {
    keep.setAttribute("href", address(format));
    keep.setAttribute("download", `${id}.${suffix}`);
    said.textContent = "";
    const response = await fetch(address(format)).catch(() => null);
    if (response?.ok) refill(shown, make("code", {}, await response.text()));
    else refill(shown, (response && (await problemOf(response))) || "The server cannot be reached.");
    copy.disabled = !response?.ok;
  };
  copy.addEventListener("click", async () => {
    said.textContent = (await copied(shown)) ? "Copied." : "Selected: copy it with your keyboard.";
  });
  const options = FORMATS.map((format, index) => {
    const input = make("input", {
      type: "radio",
      name: "format",
      value: format[0],
      on: { change: () => choose(format) },
    });
    input.checked = index === 0;
    return make("label", {}, input, make("span", {}, format[1]));
  });
  choose(FORMATS[0]);
  return [
    make(
      "div",
      { class: "toolbar" },
      make("fieldset", { class: "choice" }, make("legend", { class: "hidden" }, "Copy as"), options),
      copy,
      keep,
      said,
    ),
    request.masked.length ? make("p", { class: "hint" }, "Hidden values are hidden here, too.") : null,
    shown,
  ];
}

/** What the inspector says of a request of ours that it did not do. */
async function problemOf(response) {
  const said = await response.json().catch(() => null);
  return said?.error ?? `The server answered ${response.status}.`;
}

/** Put a text into the clipboard. Where the browser forbids it (no secure context), it is selected at least. */
async function copied(node) {
  try {
    await navigator.clipboard.writeText(node.textContent);
    return true;
  } catch {
    getSelection().selectAllChildren(node);
    return false;
  }
}
