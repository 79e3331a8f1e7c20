// Faces: initials on a colour, the bee for the app.

import { h } from "./dom.js";
import { store } from "./store.js";

/** The picture of a person or an app. */
export function avatar(userId, size = "m") {
  if (userId === "USLACKBOT")
    return h("span", { class: `avatar avatar-${size} avatar-slackbot`, "aria-hidden": "true" }, "✦");
  const user = store.users.get(userId);
  if (!user) return h("span", { class: `avatar avatar-${size}`, "aria-hidden": "true" }, "?");
  if (user.is_bot) {
    return h("img", { class: `avatar avatar-${size}`, src: "/static/icon.svg", alt: "" });
  }
  const initials = user.real_name
    .split(" ")
    .map((word) => word[0])
    .slice(0, 2)
    .join("");
  const node = h(
    "span",
    { class: `avatar avatar-${size}`, "aria-hidden": "true", style: { "--color": `#${user.color}` } },
    initials,
  );
  if (user.is_stranger) node.classList.add("avatar-stranger");
  return node;
}

/** What kind of person this is, as a badge; nothing for the app. */
export function badge(user) {
  if (user.is_bot) return h("span", { class: "badge badge-app" }, "APP");
  const kind = user.is_stranger ? "badge-stranger" : user.is_guest ? "badge-guest" : "";
  return h("span", { class: `badge ${kind}` }, user.role);
}
