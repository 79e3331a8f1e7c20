// Emoji by Slack's short names, from the table that the workspace uses as well.

import { h } from "./dom.js";

let table = {};

/** Loads the table; everything else here needs it. */
export async function loadEmoji() {
  table = await (await fetch("/static/emoji.json")).json();
}

/** All the names there are. */
export function emojiNames() {
  return Object.keys(table);
}

/** The character of `white_check_mark` or `+1::skin-tone-3`; undefined when there is none. */
export function character(name) {
  const [base, tone] = name.split("::skin-tone-");
  const found = table[base];
  return found && tone ? found + String.fromCodePoint(0x1f3f9 + Number(tone)) : found;
}

/** An emoji as a node; its name in colons when there is no such emoji. */
export function emoji(name) {
  const found = character(name);
  if (!found) return document.createTextNode(`:${name}:`);
  return h("span", { class: "emoji", role: "img", "aria-label": name, title: `:${name}:` }, found);
}

const OFTEN = [
  "white_check_mark",
  "x",
  "eyes",
  "+1",
  "-1",
  "tada",
  "rocket",
  "raised_hands",
  "pray",
  "warning",
  "rotating_light",
  "no_entry",
  "hourglass_flowing_sand",
  "lock",
  "heart",
  "thinking_face",
  "bug",
  "bee",
];

/** A picker; calls `choose(name)`. */
export function emojiPicker(choose) {
  const search = h("input", {
    class: "picker-search",
    type: "search",
    placeholder: "Find an emoji",
    "aria-label": "Find an emoji",
  });
  const grid = h("div", { class: "picker-grid", role: "listbox", "aria-label": "Emoji" });
  const show = () => {
    const wanted = search.value.trim().toLowerCase().replace(/ /g, "_");
    const names = wanted ? Object.keys(table).filter((name) => name.includes(wanted)) : allNames();
    grid.replaceChildren(
      ...names.slice(0, 260).map((name) =>
        h(
          "button",
          {
            class: "picker-emoji",
            type: "button",
            role: "option",
            "aria-label": name,
            title: `:${name}:`,
            onclick: () => choose(name),
          },
          character(name),
        ),
      ),
    );
  };
  search.addEventListener("input", show);
  search.addEventListener("keydown", (event) => {
    if (event.key === "Enter") {
      event.preventDefault();
      grid.querySelector("button")?.click();
    }
  });
  show();
  return h("div", { class: "picker", role: "dialog", "aria-label": "Add a reaction" }, search, grid);
}

function allNames() {
  const seen = new Set();
  return [...OFTEN, ...Object.keys(table)].filter((name) => {
    const fresh = !seen.has(table[name]);
    seen.add(table[name]);
    return fresh;
  });
}
