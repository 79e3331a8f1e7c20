// The side of the page: the app, channels with what is new in them, and who one is.

import { avatar, badge } from "./avatar.js";
import { fill, h, icon } from "./dom.js";
import { openChannel, openHome, place } from "./navigation.js";
import { menu } from "./popover.js";
import { become, store, unread } from "./store.js";

/** The sidebar; `update()` brings it up to date. `onLeave` is called when somewhere was chosen. */
export function sidebar({ onLeave }) {
  const top = h("div", { class: "side-top" });
  const body = h("nav", { class: "side-body", "aria-label": "Channels" });
  const me = h("div", { class: "side-me" });
  const node = h("aside", { class: "side" }, top, body, me);

  function update() {
    fill(
      top,
      h("img", { class: "side-logo", src: "/static/icon.svg", alt: "" }),
      h("div", { class: "side-team" }, store.team, h("span", { class: "side-state" }, state())),
    );
    fill(
      body,
      h("h2", { class: "side-heading" }, "App"),
      homeItem(onLeave),
      h("h2", { class: "side-heading" }, "Channels"),
      channels((each) => !each.is_im).map((each) => item(each, onLeave)),
      direct(onLeave),
    );
    fill(me, switcher());
    document.title = title();
  }
  return { node, update };
}

function state() {
  const dot = (kind) => h("span", { class: `dot dot-${kind}` });
  if (!store.online) return [dot("wait"), "Reconnecting …"];
  return store.connections ? [dot("on"), "Buzzy is connected"] : [dot("off"), "Buzzy is not connected"];
}

function channels(wanted) {
  return [...store.channels.values()].filter(wanted);
}

function homeItem(onLeave) {
  const current = place.kind === "home";
  return h(
    "button",
    {
      class: current ? "side-item current" : "side-item",
      type: "button",
      "aria-current": current ? "page" : null,
      onclick: () => {
        onLeave();
        openHome();
      },
    },
    icon("home"),
    h("span", { class: "side-name" }, "Buzzy Home"),
  );
}

function item(channel, onLeave) {
  const current = place.kind === "channel" && place.channel === channel.id;
  const { fresh, naming } = current ? { fresh: 0, naming: 0 } : unread(channel);
  const says = fresh ? `${channel.name}, ${fresh} new` : channel.name;
  return h(
    "button",
    {
      class: ["side-item", current && "current", fresh && "fresh"].filter(Boolean).join(" "),
      type: "button",
      "aria-current": current ? "page" : null,
      "aria-label": says,
      dataset: { channel: channel.id },
      onclick: () => {
        onLeave();
        openChannel(channel.id);
      },
    },
    channel.is_im ? avatar(channel.user === store.me.id ? store.app.user : channel.user, "s") : icon("hash"),
    h("span", { class: "side-name" }, channel.is_im ? "Buzzy" : channel.name),
    channel.is_ext_shared &&
      h("span", { class: "side-shared", title: "Shared with another workspace" }, icon("globe")),
    naming ? h("span", { class: "count" }, naming) : fresh > 0 && h("span", { class: "fresh-dot" }),
  );
}

function direct(onLeave) {
  const all = channels((each) => each.is_im);
  return all.length
    ? [h("h2", { class: "side-heading" }, "Direct messages"), all.map((each) => item(each, onLeave))]
    : null;
}

function switcher() {
  const node = h(
    "button",
    {
      class: "me-button",
      type: "button",
      "aria-haspopup": "menu",
      "aria-label": `You are ${store.me.real_name}. Switch person`,
      onclick: () => menu(node, "Switch person", people()),
    },
    avatar(store.me.id),
    h("span", { class: "me-name" }, store.me.real_name, badge(store.me)),
    icon("dots"),
  );
  return node;
}

function people() {
  return [...store.users.values()]
    .filter((user) => !user.is_bot)
    .map((user) => ({
      label: user.real_name,
      hint: `@${user.name} · ${user.role}`,
      before: avatar(user.id, "s"),
      current: user.id === store.me.id,
      choose: () => become(user.id),
    }));
}

function title() {
  const naming = [...store.channels.values()].reduce((sum, each) => sum + unread(each).naming, 0);
  const where = place.kind === "home" ? "Buzzy Home" : `#${store.channels.get(place.channel)?.name ?? ""}`;
  return `${naming ? `(${naming}) ` : ""}${where} · ${store.team}`;
}
