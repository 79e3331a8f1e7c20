// The page of the sandbox workspace: puts the parts together and keeps them up to date.

import { channelView } from "./channel.js";
import { fill, h, icon, toast } from "./dom.js";
import { loadEmoji } from "./emoji.js";
import { homeView } from "./home.js";
import { formDialog } from "./modal.js";
import { followAddress, onMove, openChannel, place } from "./navigation.js";
import { sidebar } from "./sidebar.js";
import { become, onChange, store } from "./store.js";
import { threadPanel } from "./thread.js";

const FIRST_PERSON = "U0ALICE";
const app = document.getElementById("app");

const menuButton = () =>
  h(
    "button",
    {
      class: "icon-button menu-button",
      type: "button",
      "aria-label": "Open the list of channels",
      onclick: () => app.classList.add("side-open"),
    },
    icon("menu"),
  );
const shade = h("div", { class: "shade", onclick: () => app.classList.remove("side-open") });
const side = sidebar({ onLeave: () => app.classList.remove("side-open") });
const channel = channelView({ menuButton });
const thread = threadPanel();
const home = homeView({ menuButton });
const form = formDialog();

let updating = false;

/** Brings everything up to date, once for all the changes that arrive together. */
function update() {
  if (updating) return;
  updating = true;
  queueMicrotask(() => {
    updating = false;
    app.classList.toggle("with-thread", Boolean(place.thread) && place.kind === "channel");
    channel.node.hidden = place.kind !== "channel";
    if (place.kind === "channel") channel.update();
    thread.update();
    home.update();
    side.update();
    form.update();
  });
}

function moved() {
  if (place.kind === "channel" && !store.channels.has(place.channel)) {
    openChannel([...store.channels.keys()][0]);
    return;
  }
  if (place.kind === "home") home.open();
  update();
  if (place.kind === "channel" && !place.thread && matchMedia("(pointer: fine)").matches) channel.focus();
}

async function start() {
  await loadEmoji();
  const asked = new URLSearchParams(location.search).get("as");
  const known = [asked, localStorage.getItem("me"), FIRST_PERSON].filter(Boolean);
  for (const user of known) {
    try {
      await become(user);
      break;
    } catch (error) {
      console.warn(error); // somebody of an earlier workspace, perhaps
    }
  }
  if (!store.me) throw new Error("The workspace does not answer.");
  fill(app, side.node, shade, channel.node, home.node, thread.node);
  app.removeAttribute("aria-busy");
  onChange((change) => (change.kind === "everything" ? moved() : update()));
  onMove(moved);
  addEventListener("popstate", () => followAddress("C0STAGING"));
  addEventListener("focus", update);
  followAddress(store.channels.has("C0STAGING") ? "C0STAGING" : [...store.channels.keys()][0]);
  setInterval(update, 60_000); // "2 minutes ago" grows old by itself
}

start().catch((error) => {
  fill(app, h("p", { class: "empty" }, error.message));
  toast(error.message, "error");
});
