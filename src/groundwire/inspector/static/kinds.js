/**
 * What the elements of a message are: a name for each kind, a sentence, and where it is laid down.
 *
 * The kinds are those of `groundwire.protocol.http1.explain`. A kind that is not here is shown by its own name.
 */

const RFC = "https://www.rfc-editor.org/rfc/rfc";

const KINDS = {
  method: ["Method", "What the client wants done.", "9110#section-9"],
  target: ["Request target", "What it wants it done to.", "9112#section-3.2"],
  authority: [
    "Authority",
    "Which host the target is on. Usually the Host field says it instead.",
    "9110#section-7.2",
  ],
  path: ["Path", "The part of the target that routes are matched against.", "3986#section-3.3"],
  query: ["Query", "Values behind the question mark, for the application to read.", "3986#section-3.4"],
  version: ["Version", "Which version of HTTP the sender speaks.", "9112#section-2.3"],
  status: ["Status code", "How it went, in three digits; the first one is the class.", "9110#section-15"],
  reason: ["Reason phrase", "The status in words. For people: programs do not read it.", "9112#section-4"],
  interim: ["Interim response", "A word in between; the final response follows.", "9110#section-15.2"],
  "field-line": [
    "Field line",
    "A name, a colon and a value: something said about the message.",
    "9112#section-5",
  ],
  "field-name": ["Field name", "What is spoken of. Upper and lower case mean the same.", "9110#section-5.1"],
  "field-value": [
    "Field value",
    "What is said of it. White space around it does not count.",
    "9110#section-5.5",
  ],
  "end-of-head": [
    "End of the head",
    "An empty line: the fields are over, content may follow.",
    "9112#section-2.1",
  ],
  content: ["Content", "What is carried: a page, a form, a file.", "9110#section-6.4"],
  chunk: [
    "Chunk",
    "A piece of content with its size before it, for content whose length is not known at the start.",
    "9112#section-7.1",
  ],
  "chunk-size": [
    "Chunk size",
    "How many octets the chunk carries, in hexadecimal digits.",
    "9112#section-7.1",
  ],
  "chunk-extension": [
    "Chunk extension",
    "Something said of one chunk. Hardly anybody uses it.",
    "9112#section-7.1.1",
  ],
  "chunk-data": ["Chunk data", "The piece of content itself.", "9112#section-7.1"],
  "last-chunk": ["Last chunk", "A chunk of size 0: the content is over.", "9112#section-7.1"],
  "trailer-line": [
    "Trailer line",
    "A field that is known only when the content is over.",
    "9112#section-7.1.2",
  ],
  "trailer-name": ["Trailer name", "What is spoken of.", "9110#section-6.5"],
  "trailer-value": ["Trailer value", "What is said of it.", "9110#section-6.5"],
  "end-of-trailers": ["End of the trailers", "An empty line: the message is over.", "9112#section-7.1.2"],
  "empty-line": ["Empty line", "The end of this part of the message.", "9112#section-2.1"],
};

/** The name, the sentence and the address of the section for a kind of element. */
export function describe(kind) {
  const [label, sentence, section] = KINDS[kind] ?? [kind, "", ""];
  return { label, sentence, url: section && RFC + section };
}
