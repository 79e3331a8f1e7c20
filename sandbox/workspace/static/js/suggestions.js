// What the composer offers while somebody types: commands, people and groups, channels, emoji.

import { character, emojiNames } from "./emoji.js";
import { store } from "./store.js";

const MOST = 8;

/** What fits the text before the caret: `{from, items: [{insert, label, hint}]}`, or null. */
export function suggest(before, { inThread }) {
  if (before.startsWith("/") && !before.includes("\n")) return inThread ? null : commands(before);
  const word = before.match(/(?:^|\s)([@#:])([\w-]*)$/);
  if (!word) return null;
  const [, sign, typed] = word;
  const from = before.length - typed.length - 1;
  const items = { "@": names, "#": channels, ":": emojis }[sign](typed.toLowerCase()).slice(0, MOST);
  return items.length ? { from, items } : null;
}

function commands(before) {
  const { command, hints } = store.app;
  const all = hints.map(({ usage, says }) => ({ usage: usage ? `${command} ${usage}` : command, says }));
  const typed = before.trimStart();
  const items = all
    .filter(
      ({ usage }) =>
        fixedPart(usage).startsWith(typed.trimEnd()) ||
        (usage !== command && typed.startsWith(`${fixedPart(usage)} `)),
    )
    .map(({ usage, says }) => ({
      insert: `${fixedPart(usage)} `,
      label: usage,
      hint: says,
      done: typed.length > fixedPart(usage).length,
    }));
  return items.length ? { from: 0, items: items.slice(0, 12) } : null;
}

/** A usage line up to its first placeholder. */
function fixedPart(usage) {
  return usage.split(/\s+[<[]/)[0];
}

function names(typed) {
  const people = [...store.users.values()].map((user) => ({
    insert: `@${user.name} `,
    label: `@${user.name}`,
    hint: user.real_name,
    user: user.id,
  }));
  const groups = [...store.groups.values()].map((group) => ({
    insert: `@${group.handle} `,
    label: `@${group.handle}`,
    hint: `${group.name} · ${group.users.length}`,
  }));
  const all = [{ insert: "@here ", label: "@here", hint: "everybody who is active here" }];
  return [...people, ...groups, ...all].filter((each) =>
    `${each.label} ${each.hint}`.toLowerCase().includes(typed),
  );
}

function channels(typed) {
  return [...store.channels.values()]
    .filter((each) => !each.is_im && each.name.includes(typed))
    .map((each) => ({ insert: `#${each.name} `, label: `#${each.name}`, hint: each.topic }));
}

function emojis(typed) {
  if (typed.length < 2) return [];
  return emojiNames()
    .filter((name) => name.startsWith(typed))
    .map((name) => ({ insert: `:${name}: `, label: `${character(name)} :${name}:`, hint: "" }));
}
