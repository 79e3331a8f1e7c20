// A list of messages that follows its channel: what changed is replaced, the rest stays where it is.

import { day } from "./dates.js";
import { h } from "./dom.js";
import { messageNode } from "./message.js";
import { place } from "./navigation.js";
import { store } from "./store.js";

const SAME_BREATH = 300;

/**
 * A list that `update(channel, messages, about)` brings up to date. Another `about` means another subject:
 * the list starts over at its end, with a mark before the first message after `readUpTo`.
 */
export function messageList({ inThread = false, label }) {
  const list = h("div", { class: "message-list", role: "log", "aria-label": label, tabindex: "0" });
  let shown = new Map();
  let subject = "";
  let atEnd = true;
  let firstNew = "";
  let pressed = false;
  let postponed = null;

  function update(channel, messages, about, { readUpTo = "", beginning = null } = {}) {
    const fresh = about !== subject;
    postponed = pressed && !fresh ? [channel, messages, about, { readUpTo, beginning }] : null;
    if (postponed) return;
    if (fresh) {
      atEnd = true;
      firstNew = readUpTo
        ? (messages.find((each) => each.ts > readUpTo && each.user !== store.me.id)?.ts ?? "")
        : "";
    }
    const next = new Map();
    const refocus = [];
    const nodes = beginning ? [keep("beginning", about, beginning, shown, next)] : [];
    let before = null;
    for (const message of messages) {
      const newDay = !inThread && !sameDay(before, message);
      if (newDay) nodes.push(divider(message, shown, next));
      const follows = !newDay && continues(before, message, inThread);
      const known = shown.get(message.ts);
      const minute = message.reply_count ? Math.floor(Date.now() / 60_000) : ""; // "last reply 2 minutes ago"
      const state = JSON.stringify(message) + minute;
      const same = !fresh && known?.state === state && known.follows === follows;
      const choices = (!fresh && known?.choices) || {};
      const node = same ? known.node : messageNode(channel, message, { follows, inThread, choices });
      if (!same && known) refocus.push([known.node, node]);
      node.classList.toggle("first-new", message.ts === firstNew);
      next.set(message.ts, { node, state, follows, choices });
      nodes.push(node);
      before = message;
    }
    subject = about;
    shown = next;
    const focused = focusedAction(refocus);
    reconcile(list, nodes);
    focused?.focus({ preventScroll: true });
    stay();
    if (fresh && place.highlight) highlight(list, place.highlight);
  }

  /** Who was at the end stays there: when messages come, images arrive late, or the window changes. */
  function stay() {
    if (atEnd) list.scrollTop = list.scrollHeight;
  }

  // A message that is edited between the press and the release of a button would swallow the click.
  list.addEventListener("pointerdown", () => {
    pressed = true;
    const released = () => {
      removeEventListener("pointerup", released);
      removeEventListener("pointercancel", released);
      setTimeout(() => {
        pressed = false;
        if (postponed) update(...postponed);
      });
    };
    addEventListener("pointerup", released);
    addEventListener("pointercancel", released);
  });
  list.addEventListener("scroll", () => {
    atEnd = list.scrollHeight - list.scrollTop - list.clientHeight < 60;
  });
  list.addEventListener("load", stay, true);
  new ResizeObserver(stay).observe(list);
  return { node: list, update };
}

function sameDay(one, other) {
  if (!one) return false;
  return new Date(Number(one.ts) * 1000).toDateString() === new Date(Number(other.ts) * 1000).toDateString();
}

function continues(before, message, inThread) {
  if (!before || before.user !== message.user || message.is_ephemeral || before.is_ephemeral) return false;
  if (inThread && before.thread_ts === before.ts) return false;
  const quick = Number(message.ts) - Number(before.ts) < SAME_BREATH;
  return quick && (inThread || !(before.reply_count || message.blocks?.length || before.blocks?.length));
}

function divider(message, shown, next) {
  const label = day(new Date(Number(message.ts) * 1000));
  return keep(
    `day-${message.ts}`,
    label,
    () => h("div", { class: "day", role: "separator" }, h("span", {}, label)),
    shown,
    next,
  );
}

/** The node that is there already if its state is the same, else one that `make` makes. */
function keep(key, state, make, shown, next) {
  const known = shown.get(key);
  const node = known?.state === state ? known.node : make();
  next.set(key, { node, state });
  return node;
}

/** Where the focus goes when the node that has it is replaced: the same control in the new one. */
function focusedAction(replaced) {
  const active = document.activeElement;
  const pair = replaced.find(([before]) => before.contains(active));
  return pair && active.dataset.action
    ? pair[1].querySelector(`[data-action="${CSS.escape(active.dataset.action)}"]`)
    : null;
}

/** Makes the children of `list` be `nodes`, moving only what has to move: focus and selection last. */
function reconcile(list, nodes) {
  const wanted = new Set(nodes);
  for (const child of [...list.children]) if (!wanted.has(child)) child.remove();
  nodes.forEach((node, number) => {
    if (list.children[number] !== node) list.insertBefore(node, list.children[number] ?? null);
  });
}

function highlight(list, ts) {
  const node = [...list.children].find((child) => child.dataset.ts === ts);
  if (!node) return;
  node.scrollIntoView({ block: "center" });
  node.classList.add("highlight");
  setTimeout(() => node.classList.remove("highlight"), 3000);
}
