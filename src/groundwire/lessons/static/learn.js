/** A lesson's page: sends its requests, shows their octets as the inspector does, and has the task checked. */

import { absent, make, notice, refill } from "/wire/nodes.js";
import { wireView } from "/wire/wire_view.js";

const at = (id) => document.getElementById(id);
const main = at("main");
const here = `/lessons/${main.dataset.lesson}`;
const narrow = matchMedia("(max-width: 59.99rem)");
const bench = at("bench");

let asking = null; // the request that "Send it" sends again, changed

/** Have something done; what comes back is an object, with `error` if it was not. */
async function ask(action, content = {}) {
  try {
    const response = await fetch(`${here}/${action}`, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify(content),
    });
    return response.ok ? await response.json() : { error: await response.text() };
  } catch {
    return { error: "Groundwire does not answer. Is groundwire learn still running?" };
  }
}

async function send(content, origin) {
  pulse("", "Sending …");
  place(origin);
  const result = await ask("send", content);
  if (result.error) {
    refill(at("exchange"), notice("wrong", make("pre", { class: "failure" }, result.error)));
    pulse("lost", "There was no answer.");
    return;
  }
  if (result.url) pulse("live", "The program runs at ", make("a", { href: result.url, target: "_blank", rel: "noreferrer" }, new URL(result.url).host));
  else pulse("lost", "The program has ended. The next request starts it anew.");
  // A form of its own around each: the choice between text and digits is one for each.
  const views = result.exchanges.map((exchange) => make("form", { class: "one" }, wireView(exchange), unwhole(exchange)));
  const end = result.closed ? make("p", { class: "quiet" }, "Then the program closed the connection.") : null;
  at("exchange").className = "";
  refill(at("exchange"), views, end);
  at("printed").hidden = !result.printed.trim();
  at("printed").querySelector("pre").textContent = result.printed.trim();
  at("printed").querySelector("pre").scrollTop = 1e9;
  if (narrow.matches) bench.scrollIntoView({ block: "nearest" });
}

/** What is to be said of an answer that has not come whole. */
function unwhole({ response, missing }) {
  return response && missing ? notice("warning", `This is not the whole answer: ${missing}.`) : null;
}

/** Where there is no room beside the text, the wire is shown below the request that was sent. */
function place(origin) {
  const below = origin?.closest(".request");
  if (narrow.matches && below) below.after(bench);
  else if (!narrow.matches && bench.parentElement !== main) main.append(bench);
}

narrow.addEventListener("change", () => main.append(bench));

function pulse(state, ...text) {
  at("pulse").className = `pulse ${state}`;
  refill(at("pulse"), make("span", {}, text));
}

for (const block of document.querySelectorAll(".request")) {
  const { exchange } = block.dataset;
  block.querySelector(".ask").addEventListener("click", (event) => send({ exchange: Number(exchange) }, event.target));
  block.querySelector(".alter")?.addEventListener("click", (event) => {
    asking = { exchange: Number(exchange), origin: event.target };
    place(event.target);
    at("request").value = block.querySelector("code").textContent;
    at("own").hidden = false;
    at("request").focus();
  });
}

at("own").addEventListener("submit", (event) => {
  event.preventDefault();
  send({ text: at("request").value, exchange: asking.exchange }, asking.origin);
});

at("close").addEventListener("click", () => {
  at("own").hidden = true;
  asking.origin.focus();
});

at("restart").addEventListener("click", async () => {
  await ask("restart");
  pulse("", "The program starts with the next request.");
});

// --- the task -----------------------------------------------------------------------------------------------

at("start").addEventListener("click", async () => {
  const result = await ask("start");
  at("state").textContent = result.error ?? `Written: ${result.written}`;
});

at("check").addEventListener("click", async () => {
  const button = at("check");
  button.disabled = true;
  at("state").textContent = "Checking …";
  const result = await ask("check");
  button.disabled = false;
  button.focus();
  if (result.error) {
    at("state").textContent = result.error;
    refill(at("verdict"));
    return;
  }
  at("state").textContent = result.passed ? "Done." : "Not yet.";
  refill(at("verdict"), verdict(result));
});

function verdict({ passed, steps, failed, message, bytes, printed }) {
  const list = make("ul", { class: "findings" }, steps.map((step) => make("li", { class: "kept" }, step)));
  if (passed) return [list, notice("good", "The task is done.")];
  list.append(make("li", { class: "broken" }, failed, make("pre", { class: "failure" }, message)));
  return [
    list,
    bytes.length ? [make("h3", {}, "The bytes"), make("pre", { class: "block" }, bytes.join("\n"))] : null,
    printed.trim() ? [make("h3", {}, "The program printed"), make("pre", { class: "block" }, printed.trim())] : absent(),
  ];
}
