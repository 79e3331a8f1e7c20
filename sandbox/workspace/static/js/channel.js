// The middle of the page: a channel.

import { avatar } from "./avatar.js";
import { composer } from "./composer.js";
import { fill, h, icon, toast } from "./dom.js";
import { messageList } from "./messages.js";
import { place } from "./navigation.js";
import { popover } from "./popover.js";
import { doing, inChannel, markRead, readUpTo, store } from "./store.js";

/** The channel view; `update()` brings it up to date, `focus()` goes to where one types. */
export function channelView({ menuButton }) {
  const head = h("header", { class: "head" });
  const messages = messageList({ label: "Messages" });
  const write = composer({ where: () => ({ channel: place.channel }) });
  const foot = h("div", { class: "foot" });
  const node = h("main", { class: "middle", id: "channel" }, head, messages.node, foot);

  function update() {
    const channel = store.channels.get(place.channel);
    if (!channel) return;
    const name = channel.is_im ? "Buzzy" : `#${channel.name}`;
    fill(
      head,
      menuButton(),
      h("div", { class: "head-name" }, h("h1", {}, name), h("span", { class: "head-topic" }, channel.topic)),
      channel.is_ext_shared && h("span", { class: "badge badge-stranger" }, "shared with another workspace"),
      members(channel),
    );
    write.label(`Message ${name}`);
    messages.update(channel, inChannel(channel), `${store.me.id} ${channel.id} ${place.highlight}`, {
      readUpTo: readUpTo(channel),
      beginning: () => beginning(channel, name),
    });
    if (channel.members.includes(store.me.id)) {
      if (foot.firstChild !== write.node) fill(foot, write.node);
    } else {
      fill(foot, invitation(channel));
    }
    if (document.hasFocus() || document.visibilityState === "visible") markRead(channel);
  }
  return { node, update, focus: () => write.focus() };
}

function beginning(channel, name) {
  const says = channel.is_im
    ? "What is said here is between you and the app."
    : `${channel.topic}. This is where #${channel.name} begins.`;
  return h("div", { class: "beginning" }, h("h2", {}, name), h("p", {}, says));
}

function members(channel) {
  const all = channel.members.map((id) => store.users.get(id)).filter(Boolean);
  const button = h(
    "button",
    {
      class: "head-members",
      type: "button",
      "aria-label": `${all.length} members`,
      "aria-haspopup": "dialog",
      onclick: () =>
        popover(
          button,
          h(
            "div",
            { class: "member-list", role: "dialog", "aria-label": "Members" },
            all.map((user) =>
              h(
                "div",
                { class: "member" },
                avatar(user.id, "s"),
                h(
                  "span",
                  { class: "menu-label" },
                  user.real_name,
                  h("span", { class: "menu-hint" }, `@${user.name} · ${user.role}`),
                ),
              ),
            ),
          ),
        ),
    },
    all.slice(0, 3).map((user) => avatar(user.id, "s")),
    h("span", {}, all.length),
  );
  return button;
}

function invitation(channel) {
  const join = async () => {
    try {
      await doing("join", { channel: channel.id });
    } catch (error) {
      toast(error.message, "error");
    }
  };
  return h(
    "div",
    { class: "not-in" },
    icon("people"),
    `You are not in #${channel.name} yet.`,
    h("button", { class: "btn btn-primary", type: "button", onclick: join }, "Join channel"),
  );
}
