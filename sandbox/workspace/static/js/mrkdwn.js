// Slack's own markup ("mrkdwn") as DOM nodes.

import { fromTemplate, full } from "./dates.js";
import { h, toast } from "./dom.js";
import { emoji } from "./emoji.js";
import { openChannel } from "./navigation.js";
import { store } from "./store.js";

const STYLES = { "*": "strong", _: "em", "~": "s" };

/** The nodes of a text in mrkdwn. */
export function mrkdwn(text) {
  const parts = text.split(/```([\s\S]*?)```/);
  return parts.flatMap((part, number) => (number % 2 ? [codeBlock(part)] : withQuotes(part, number > 0)));
}

/** The nodes of a plain text, where only emoji names mean something. */
export function plain(text, { emoji: withEmoji = true } = {}) {
  return withEmoji ? inline(text, new Set(["emoji", "lines"])) : inline(text, new Set(["lines"]));
}

/** A text object of Block Kit. */
export function textObject(object) {
  return object.type === "mrkdwn" ? mrkdwn(object.text) : plain(object.text, object);
}

/** `&amp;`, `&lt;` and `&gt;` undone: the only entities that Slack has. */
export function unescaped(text) {
  return text.replace(/&lt;/g, "<").replace(/&gt;/g, ">").replace(/&amp;/g, "&");
}

/** A block of code, with its alignment kept and a way to copy it. */
export function codeFrame(...content) {
  const code = h("code", {}, content);
  const oneLine = !code.textContent.includes("\n");
  return h(
    "div",
    { class: oneLine ? "code-frame code-line" : "code-frame" },
    h("pre", { class: "code-block" }, code),
    h("button", { class: "code-copy", type: "button", onclick: () => copy(code.textContent) }, "Copy"),
  );
}

async function copy(text) {
  try {
    await navigator.clipboard.writeText(text);
    toast("Copied");
  } catch {
    toast("This browser does not let pages copy here.", "error");
  }
}

function codeBlock(text) {
  return codeFrame(unescaped(tokensAsText(text.replace(/^\n|\n$/g, ""))));
}

/** Lines that begin with `>` are quoted; the break after a code block belongs to it. */
function withQuotes(text, afterCode) {
  const nodes = [];
  let quoted = [];
  const lines = (afterCode ? text.replace(/^\n/, "") : text).split("\n");
  const endQuote = () => {
    if (quoted.length) nodes.push(h("blockquote", {}, inline(quoted.join("\n"))));
    quoted = [];
  };
  lines.forEach((line, number) => {
    const quote = line.match(/^(?:&gt;|>)\s?(.*)$/);
    if (quote) {
      quoted.push(quote[1]);
      return;
    }
    endQuote();
    const last = number === lines.length - 1;
    nodes.push(...inline(line));
    if (!last && !lines[number + 1].match(/^(?:&gt;|>)/)) nodes.push(h("br"));
  });
  endQuote();
  return nodes;
}

const EVERYTHING = new Set(["emoji", "lines", "code", "tokens", "styles"]);

/** The nodes of a text within a line or paragraph; `wanted` says what of the markup counts. */
function inline(text, wanted = EVERYTHING) {
  const nodes = [];
  let from = 0;
  let at = 0;
  const put = (node, end) => {
    if (at > from) nodes.push(document.createTextNode(unescaped(text.slice(from, at))));
    nodes.push(node);
    at = from = end;
  };
  while (at < text.length) {
    const found = special(text, at, wanted);
    if (found) put(...found);
    else at += 1;
  }
  if (at > from) nodes.push(document.createTextNode(unescaped(text.slice(from))));
  return nodes;
}

/** The node that begins at `at` and where it ends, if one does. */
function special(text, at, wanted) {
  const sign = text[at];
  if (sign === "\n" && wanted.has("lines")) return [h("br"), at + 1];
  if (sign === ":" && wanted.has("emoji")) {
    const name = text.slice(at).match(/^:([a-z0-9_+'-]+(?:::skin-tone-[2-6])?):/);
    return name ? [emoji(name[1]), at + name[0].length] : null;
  }
  if (sign === "<" && wanted.has("tokens")) {
    const end = text.indexOf(">", at);
    return end > at + 1 ? [token(text.slice(at + 1, end)), end + 1] : null;
  }
  if (sign === "`" && wanted.has("code")) {
    const code = text.slice(at).match(/^`([^`\n]+)`/);
    return code ? [h("code", {}, unescaped(tokensAsText(code[1]))), at + code[0].length] : null;
  }
  return sign in STYLES && wanted.has("styles") ? styled(text, at, wanted) : null;
}

/** `*bold*`, `_italic_`, `~struck~`: only at the edges of words, and within one line. */
function styled(text, at, wanted) {
  const sign = text[at];
  if (/[\p{L}\p{N}]/u.test(text[at - 1] ?? " ") || /[\s]/.test(text[at + 1] ?? " ")) return null;
  for (let end = at + 2; end < text.length && text[end] !== "\n"; end += 1) {
    const closes =
      text[end] === sign && !/\s/.test(text[end - 1]) && !/[\p{L}\p{N}]/u.test(text[end + 1] ?? " ");
    if (closes) return [h(STYLES[sign], {}, inline(text.slice(at + 1, end), wanted)), end + 1];
  }
  return null;
}

/** What stands between `<` and `>`: a person, a channel, a group, a date, a link. */
function token(content) {
  const bar = content.indexOf("|");
  const target = bar < 0 ? content : content.slice(0, bar);
  const label = bar < 0 ? "" : content.slice(bar + 1);
  if (target.startsWith("@")) return mention(target.slice(1), label);
  if (target.startsWith("#")) return channelLink(target.slice(1), label);
  if (target.startsWith("!")) return command(target.slice(1), label);
  return link(unescaped(target), label ? inline(label, new Set(["emoji", "styles"])) : unescaped(target));
}

/** A person's name as others call them. */
export function mention(userId, label = "") {
  const user = store.users.get(userId);
  return called(`@${user?.name ?? (label || userId)}`, userId === store.me.id, user?.real_name);
}

/** A user group's name. */
export function groupMention(groupId, label = "") {
  const group = store.groups.get(groupId);
  const name = group ? `@${group.handle}` : label || groupId;
  return called(
    name,
    group?.users.includes(store.me.id) ?? false,
    group?.users.map((id) => store.users.get(id)?.real_name).join(", "),
  );
}

/** `@here` and its like. */
export function broadcast(range) {
  return called(`@${range}`, true);
}

/** A channel's name, which leads there. */
export function channelLink(channelId, label = "") {
  const name = store.channels.get(channelId)?.name ?? label;
  if (!store.channels.has(channelId)) return called(`#${name || "private-channel"}`, false);
  return h(
    "a",
    {
      class: "mention",
      href: `#/${channelId}`,
      onclick: (event) => {
        event.preventDefault();
        openChannel(channelId);
      },
    },
    `#${name}`,
  );
}

/** A link, opened beside this page; only the web's and mail's. */
export function link(url, label) {
  const safe = /^(https?:|mailto:|\/)/i.test(url);
  return safe
    ? h("a", { href: url, target: "_blank", rel: "noopener noreferrer" }, label)
    : h("span", {}, label);
}

/** A date in the reader's own time. */
export function date(seconds, template, url) {
  const shown = h("time", { title: full(new Date(Number(seconds) * 1000)) }, fromTemplate(seconds, template));
  return url ? link(url, shown) : shown;
}

function command(content, label) {
  const [name, ...rest] = content.split("^");
  if (name === "date")
    return rest.length > 1 ? date(rest[0], unescaped(rest[1]), rest[2]) : h("span", {}, label);
  if (name === "subteam") return groupMention(rest[0], label);
  return broadcast(name);
}

function called(name, me, title) {
  return h("span", { class: me ? "mention mention-me" : "mention", title }, name);
}

/** Names instead of tokens, for where nothing but text is shown. */
function tokensAsText(text) {
  return text.replace(/<([^<>\n]+)>/g, (_, content) => token(content).textContent);
}
