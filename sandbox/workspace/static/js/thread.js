// The right side of the page: a thread.

import { composer } from "./composer.js";
import { fill, h, icon } from "./dom.js";
import { messageList } from "./messages.js";
import { closeThread, place } from "./navigation.js";
import { inThread, store } from "./store.js";

/** The thread panel; `update()` brings it up to date and shows or hides it. */
export function threadPanel() {
  const head = h("header", { class: "head" });
  const messages = messageList({ inThread: true, label: "Thread" });
  const write = composer({ where: () => ({ channel: place.channel, thread: place.thread }), inThread: true });
  const node = h(
    "aside",
    { class: "thread", "aria-label": "Thread", hidden: true },
    head,
    messages.node,
    h("div", { class: "foot" }, write.node),
  );
  write.label("Reply in thread");

  function update() {
    const channel = store.channels.get(place.channel);
    const open = Boolean(place.kind === "channel" && place.thread && channel);
    const opens = open && node.hidden;
    node.hidden = !open;
    if (!open) return;
    fill(
      head,
      h(
        "div",
        { class: "head-name" },
        h("h1", {}, "Thread"),
        h("span", { class: "head-topic" }, channel.is_im ? "Buzzy" : `#${channel.name}`),
      ),
      h(
        "button",
        { class: "icon-button", type: "button", "aria-label": "Close thread", onclick: closeThread },
        icon("close"),
      ),
    );
    messages.update(
      channel,
      inThread(channel, place.thread),
      `${store.me.id} ${channel.id} ${place.thread} ${place.highlight}`,
    );
    if (opens) write.focus();
  }
  return { node, update };
}
