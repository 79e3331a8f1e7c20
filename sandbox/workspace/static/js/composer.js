// Where people type: a message or a command, with suggestions and, by arrow up, what they typed before.

import { avatar } from "./avatar.js";
import { fill, h, icon, toast } from "./dom.js";
import { doing, store } from "./store.js";
import { suggest } from "./suggestions.js";

const REMEMBERED = 50;

/** A composer; `where()` says the channel, and in a thread its root. */
export function composer({ where, inThread = false }) {
  const text = h("textarea", { class: "composer-text", rows: "1", autocomplete: "off", spellcheck: "true" });
  const send = h(
    "button",
    { class: "composer-send", type: "submit", "aria-label": "Send", title: "Send (Enter)" },
    icon("send"),
  );
  const list = h("div", { class: "suggestions", role: "listbox", "aria-label": "Suggestions", hidden: true });
  const form = h("form", { class: "composer" }, list, text, send);
  const past = history();
  const offered = offers(text, list, { inThread });

  function label(name) {
    text.setAttribute("aria-label", name);
    text.setAttribute("placeholder", inThread ? "Reply …" : `${name}, or ${store.app.command} …`);
  }

  function resize() {
    text.style.height = "auto";
    text.style.height = `${Math.min(text.scrollHeight, 220)}px`;
    send.classList.toggle("ready", text.value.trim() !== "");
  }

  function put(value) {
    text.value = value;
    text.setSelectionRange(value.length, value.length);
    resize();
  }

  async function submit(event) {
    event?.preventDefault();
    const line = text.value.trim();
    if (!line) return;
    offered.close();
    past.add(line);
    put("");
    const { channel, thread } = where();
    try {
      const command = line.startsWith("/");
      await doing(command ? "command" : "say", { channel, text: line, thread_ts: thread ?? "" });
    } catch (error) {
      put(line); // nothing that somebody typed is lost
      toast(error.message, "error");
    }
  }

  form.addEventListener("submit", submit);
  text.addEventListener("input", () => {
    resize();
    past.rest();
    offered.show();
  });
  text.addEventListener("blur", () => setTimeout(offered.close, 150));
  text.addEventListener("keydown", (event) => {
    if (event.isComposing || offered.takes(event)) return;
    if (event.key === "Enter" && !event.shiftKey) submit(event);
    const step = { ArrowUp: -1, ArrowDown: 1 }[event.key];
    const recalled = step && (text.value === "" || past.recalling()) ? past.step(step) : undefined;
    if (recalled === undefined) return;
    event.preventDefault();
    put(recalled);
  });
  return { node: form, label, focus: () => text.focus(), put };
}

/** What this person sent before; `step(-1)` goes back, `step(1)` forward. */
function history() {
  let at = null;
  const key = () => `sent:${store.me.id}`;
  const all = () => JSON.parse(localStorage.getItem(key()) ?? "[]");
  return {
    add(line) {
      localStorage.setItem(
        key(),
        JSON.stringify([...all().filter((each) => each !== line), line].slice(-REMEMBERED)),
      );
      at = null;
    },
    rest() {
      at = null;
    },
    recalling: () => at !== null,
    step(by) {
      const lines = all();
      if (!lines.length) return undefined;
      at = Math.max(0, (at ?? lines.length) + by);
      if (at < lines.length) return lines[at];
      at = null;
      return "";
    },
  };
}

/** The list of suggestions under the caret; `takes(event)` says whether a key was meant for it. */
function offers(text, list, options) {
  let found = null;
  let current = 0;

  function close() {
    found = null;
    list.hidden = true;
  }

  function show() {
    found = suggest(text.value.slice(0, text.selectionStart), options);
    current = 0;
    list.hidden = !found;
    if (found) render();
  }

  function render() {
    fill(
      list,
      found.items.map((item, number) =>
        h(
          "div",
          {
            class: "suggestion",
            role: "option",
            "aria-selected": String(number === current),
            onpointerdown: (event) => {
              event.preventDefault();
              take(number);
            },
          },
          item.user && avatar(item.user, "s"),
          h("span", { class: "suggestion-label" }, item.label),
          h("span", { class: "suggestion-hint" }, item.hint),
        ),
      ),
    );
    list.children[current]?.scrollIntoView({ block: "nearest" });
  }

  function take(number) {
    const { insert } = found.items[number];
    const rest = text.value.slice(text.selectionStart);
    const start = text.value.slice(0, found.from) + insert;
    text.value = start + rest;
    text.setSelectionRange(start.length, start.length);
    close();
    text.dispatchEvent(new Event("input"));
  }

  /** Whether Enter means "send": a command is never completed by it, nor a name that stands there in full. */
  function complete(item) {
    return (
      text.value.startsWith("/") || text.value.slice(found.from, text.selectionStart) === item.insert.trim()
    );
  }

  function takes(event) {
    if (!found) return false;
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    const item = found.items[current];
    if (step) {
      current = (current + step + found.items.length) % found.items.length;
      render();
    } else if (event.key === "Escape") {
      close();
    } else if (!item.done && (event.key === "Tab" || (event.key === "Enter" && !complete(item)))) {
      take(current);
    } else {
      return false;
    }
    event.preventDefault();
    event.stopPropagation();
    return true;
  }

  return { show, close, takes };
}
