/**
 * Octets as text that can be typed, and back.
 *
 * A field of text knows one kind of line break; messages have CR LF, and a message that is broken on purpose may have
 * anything. So a line break stands for CR LF, and whatever no key can type is written as an escape.
 */

import { characterSize } from "./octets.js";

const UTF8 = new TextDecoder("utf-8", { fatal: true });
const TYPED = /^[^\p{C}\p{Zl}\p{Zp}]$/u;
const ESCAPE = /\\(?:x([0-9a-fA-F]{2})|([nrt0\\]))|\n|[^\\\n]+|\\/g;
const NAMED = { n: 10, r: 13, t: 9, 0: 0, "\\": 92 };

/** Octets as text. */
export function textOf(data) {
  let text = "";
  for (let i = 0; i < data.length;) {
    if (data[i] === 13 && data[i + 1] === 10) {
      text += "\n";
      i += 2;
      continue;
    }
    const size = characterSize(data, i, data.length);
    const character = size ? UTF8.decode(data.subarray(i, i + size)) : "";
    if (character === "\\") text += "\\\\";
    else if (TYPED.test(character)) text += character;
    else if (size === 1 && data[i] in ESCAPES) text += ESCAPES[data[i]];
    else for (let j = i; j < i + (size || 1); j++) text += `\\x${data[j].toString(16).padStart(2, "0")}`;
    i += size || 1;
  }
  return text;
}

const ESCAPES = { 9: "\\t", 10: "\\n", 13: "\\r" };

/** The octets that a text stands for. A backslash before anything else is one. */
export function bytesOf(text) {
  const encoder = new TextEncoder();
  const pieces = [];
  for (const [match, hex, name] of text.matchAll(ESCAPE)) {
    if (hex !== undefined) pieces.push([parseInt(hex, 16)]);
    else if (name !== undefined) pieces.push([NAMED[name]]);
    else if (match === "\n") pieces.push([13, 10]);
    else pieces.push(encoder.encode(match));
  }
  const data = new Uint8Array(pieces.reduce((sum, piece) => sum + piece.length, 0));
  let at = 0;
  for (const piece of pieces) {
    data.set(piece, at);
    at += piece.length;
  }
  return data;
}
