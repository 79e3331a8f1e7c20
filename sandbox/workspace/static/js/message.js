// One message: who, when, what, reactions, replies, and what can be done with it.

import { avatar } from "./avatar.js";
import { blocks } from "./blocks.js";
import { ago, full, time } from "./dates.js";
import { h, icon, toast } from "./dom.js";
import { character, emojiPicker } from "./emoji.js";
import { mrkdwn } from "./mrkdwn.js";
import { openThread } from "./navigation.js";
import { closePopover, popover } from "./popover.js";
import { doing, nameOf, namesMe, store } from "./store.js";

const QUICK = ["white_check_mark", "x", "eyes"];

/**
 * The node of a message; `follows` when it continues what the same person just said, `inThread` beside its
 * channel; `choices` are what is chosen in it so far.
 */
export function messageNode(channel, message, { follows = false, inThread = false, choices = {} } = {}) {
  const when = new Date(Number(message.ts) * 1000);
  const classes = ["message"];
  if (follows) classes.push("follows");
  if (message.is_ephemeral) classes.push("ephemeral");
  else if (message.user !== store.me.id && namesMe(message)) classes.push("names-me");
  if (message.subtype === "tombstone") classes.push("tombstone");
  return h(
    "article",
    {
      class: classes.join(" "),
      tabindex: "-1",
      dataset: { ts: message.ts, channel: channel.id },
      "aria-label": `${nameOf(message.user)}, ${time(when)}`,
    },
    message.is_ephemeral && visibleToMe(message),
    h(
      "div",
      { class: "message-gutter" },
      follows
        ? h("time", { class: "message-time gutter-time", title: full(when) }, time(when))
        : avatar(message.user),
    ),
    h(
      "div",
      { class: "message-main" },
      !follows && head(message, when),
      h("div", { class: "message-body" }, body(channel, message, choices)),
      message.files?.map(file),
      reactions(channel, message),
      !inThread && message.reply_count > 0 && replies(channel, message),
    ),
    !message.is_ephemeral && message.subtype !== "tombstone" && tools(channel, message, inThread),
  );
}

function head(message, when) {
  const user = store.users.get(message.user);
  return h(
    "header",
    { class: "message-head" },
    h("span", { class: "message-author" }, nameOf(message.user)),
    user?.is_bot && h("span", { class: "badge badge-app" }, "APP"),
    user?.is_guest && h("span", { class: "badge badge-guest" }, "guest"),
    user?.is_stranger && h("span", { class: "badge badge-stranger" }, "other workspace"),
    h("time", { class: "message-time", title: full(when), datetime: when.toISOString() }, time(when)),
  );
}

function body(channel, message, choices) {
  const surface = {
    choices,
    act: (blockId, part, choice) => click(channel, message, surface, blockId, part, choice),
  };
  const edited = message.edited && h("span", { class: "edited" }, " (edited)");
  if (message.blocks?.length) return [h("div", { class: "blocks" }, blocks(surface, message.blocks)), edited];
  return h("div", { class: "message-text" }, mrkdwn(message.text), edited);
}

async function click(channel, message, surface, blockId, part, choice) {
  try {
    const { delivery } = await doing("click", {
      channel: channel.id,
      ts: message.ts,
      choices: surface.choices,
      action: { block_id: blockId, action_id: part.action_id, choice },
    });
    if (delivery.error) toast("The app did not answer in time. Nothing may have happened.", "error");
  } catch (error) {
    toast(error.message, "error");
  }
}

function visibleToMe(message) {
  return h(
    "div",
    { class: "only-you" },
    icon("eye"),
    "Only visible to you",
    h(
      "button",
      { class: "link-button", type: "button", onclick: () => doing("dismiss", { ts: message.ts }) },
      "Dismiss",
    ),
  );
}

function file(each) {
  if (!each.mimetype.startsWith("image/")) {
    return h("a", { class: "file", href: each.url_private, target: "_blank", rel: "noopener" }, each.title);
  }
  return h(
    "figure",
    { class: "file-image" },
    h("figcaption", {}, each.title),
    h(
      "a",
      { href: each.url_private, target: "_blank", rel: "noopener", "aria-label": `Open ${each.title}` },
      h("img", { src: each.url_private, alt: each.alt_txt || each.title, loading: "lazy" }),
    ),
  );
}

function reactions(channel, message) {
  if (!message.reactions?.length) return null;
  return h(
    "div",
    { class: "reactions" },
    message.reactions.map((each) => reaction(channel, message, each)),
    h(
      "button",
      {
        class: "reaction reaction-add",
        type: "button",
        "aria-label": "Add a reaction",
        "aria-haspopup": "dialog",
        onclick: (event) => pick(event.currentTarget, channel, message),
      },
      icon("smile"),
    ),
  );
}

function reaction(channel, message, each) {
  const mine = each.users.includes(store.me.id);
  const who = each.users.map(nameOf).join(", ");
  return h(
    "button",
    {
      class: mine ? "reaction mine" : "reaction",
      type: "button",
      dataset: { name: each.name },
      "aria-pressed": String(mine),
      "aria-label": `${each.name}: ${each.count} (${who})`,
      title: `${who} reacted with :${each.name}:`,
      onclick: () => react(channel, message, each.name),
    },
    h("span", { class: "emoji" }, character(each.name) ?? `:${each.name}:`),
    h("span", { class: "reaction-count" }, each.count),
  );
}

async function react(channel, message, name) {
  const now = channel.messages.get(message.ts);
  const mine = now?.reactions?.find((each) => each.name === name)?.users.includes(store.me.id);
  try {
    await doing(mine ? "unreact" : "react", { channel: channel.id, ts: message.ts, name });
  } catch (error) {
    toast(error.message, "error");
  }
}

function pick(anchor, channel, message) {
  popover(
    anchor,
    emojiPicker((name) => {
      closePopover();
      react(channel, message, name);
    }),
  );
}

function replies(channel, message) {
  const count = message.reply_count;
  return h(
    "button",
    { class: "replies", type: "button", onclick: () => openThread(channel.id, message.ts) },
    h(
      "span",
      { class: "replies-who" },
      message.reply_users.slice(0, 4).map((id) => avatar(id, "s")),
    ),
    h("span", { class: "replies-count" }, `${count} ${count === 1 ? "reply" : "replies"}`),
    h("span", { class: "replies-when" }, `last ${ago(new Date(Number(message.latest_reply) * 1000))}`),
  );
}

function tools(channel, message, inThread) {
  return h(
    "div",
    { class: "tools", role: "toolbar", "aria-label": "Message actions" },
    QUICK.map((name) =>
      h(
        "button",
        {
          class: "tool",
          type: "button",
          "aria-label": `React with ${name}`,
          title: `React with :${name}:`,
          onclick: () => react(channel, message, name),
        },
        character(name),
      ),
    ),
    h(
      "button",
      {
        class: "tool",
        type: "button",
        "aria-label": "Find another reaction",
        title: "Find another reaction",
        onclick: (event) => pick(event.currentTarget, channel, message),
      },
      icon("smile"),
    ),
    !inThread &&
      h(
        "button",
        {
          class: "tool",
          type: "button",
          "aria-label": "Reply in thread",
          title: "Reply in thread",
          onclick: () => openThread(channel.id, message.thread_ts ?? message.ts),
        },
        icon("chat"),
      ),
    h(
      "button",
      {
        class: "tool",
        type: "button",
        "aria-label": "Copy link",
        title: "Copy link",
        onclick: () => copyLink(channel, message),
      },
      icon("link"),
    ),
  );
}

async function copyLink(channel, message) {
  const thread =
    message.thread_ts && message.thread_ts !== message.ts
      ? `?thread_ts=${message.thread_ts}&cid=${channel.id}`
      : "";
  const url = `${location.origin}/archives/${channel.id}/p${message.ts.replace(".", "")}${thread}`;
  try {
    await navigator.clipboard.writeText(url);
    toast("Link copied");
  } catch {
    toast(url); // no clipboard outside of a secure context: at least it can be seen
  }
}
