// The App Home.

import { avatar } from "./avatar.js";
import { blocks } from "./blocks.js";
import { fill, h, toast } from "./dom.js";
import { place } from "./navigation.js";
import { doing, store } from "./store.js";

/** The App Home; `update()` brings it up to date, `open()` tells the app that somebody looks at it. */
export function homeView({ menuButton }) {
  const head = h("header", { class: "head" });
  const body = h("div", { class: "home-body", tabindex: "0", "aria-label": "App Home" });
  const node = h("main", { class: "middle home", hidden: true }, head, body);
  const surface = { choices: {}, act };
  let shown = "";

  async function act(blockId, part, choice) {
    try {
      const { delivery } = await doing("click", {
        view_id: store.home.id,
        choices: surface.choices,
        action: { block_id: blockId, action_id: part.action_id, choice },
      });
      if (delivery.error) toast("The app did not answer in time.", "error");
    } catch (error) {
      toast(error.message, "error");
    }
  }

  function update() {
    node.hidden = place.kind !== "home";
    if (node.hidden) return;
    fill(
      head,
      menuButton(),
      avatar(store.app.user, "s"),
      h("div", { class: "head-name" }, h("h1", {}, "Buzzy"), h("span", { class: "head-topic" }, "Home")),
    );
    const state = JSON.stringify([store.me.id, store.home]);
    if (state === shown) return;
    shown = state;
    fill(
      body,
      h("div", { class: "home-page blocks" }, store.home ? blocks(surface, store.home.blocks) : nothing()),
    );
  }

  async function open() {
    try {
      await doing("home");
    } catch (error) {
      toast(error.message, "error");
    }
  }
  return { node, update, open };
}

function nothing() {
  return h(
    "div",
    { class: "empty" },
    h("img", { src: "/static/icon.svg", alt: "" }),
    h("p", {}, "Nothing here yet. The app shows its home a moment after somebody looks at it."),
  );
}
