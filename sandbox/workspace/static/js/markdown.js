// The markdown block: common Markdown, as far as messages of an app use it.

import { h } from "./dom.js";
import { emoji } from "./emoji.js";
import { codeFrame, link } from "./mrkdwn.js";

/** The nodes of a Markdown text. */
export function markdown(text) {
  const lines = text.split("\n");
  const nodes = [];
  while (lines.length) nodes.push(takeBlock(lines));
  return nodes;
}

function takeBlock(lines) {
  const line = lines[0];
  if (!line.trim()) return (lines.shift(), null);
  if (line.startsWith("```")) return takeCode(lines);
  if (/^(-{3,}|\*{3,})\s*$/.test(line)) return (lines.shift(), h("hr"));
  if (/^#{1,6}\s/.test(line)) {
    const [, signs, title] = lines.shift().match(/^(#+)\s+(.*)$/);
    return h(`h${Math.min(6, signs.length + 2)}`, { class: "md-heading" }, inline(title));
  }
  if (/^>\s?/.test(line))
    return h(
      "blockquote",
      {},
      markdown(
        takeWhile(lines, /^>\s?/)
          .map((each) => each.replace(/^>\s?/, ""))
          .join("\n"),
      ),
    );
  if (/^\s*[-*+]\s/.test(line)) return list(lines, "ul", /^\s*[-*+]\s+/);
  if (/^\s*\d+[.)]\s/.test(line)) return list(lines, "ol", /^\s*\d+[.)]\s+/);
  if (/^\|.*\|\s*$/.test(line) && /^\|[\s:|-]+\|\s*$/.test(lines[1] ?? "")) return takeTable(lines);
  const paragraph = takeWhile(lines, /^(?!\s*$|```|#{1,6}\s|>|\s*[-*+]\s|\s*\d+[.)]\s)/);
  return h(
    "p",
    {},
    paragraph.flatMap((each, number) => [number ? h("br") : null, inline(each)]),
  );
}

function takeWhile(lines, pattern) {
  const taken = [lines.shift()];
  while (lines.length && pattern.test(lines[0])) taken.push(lines.shift());
  return taken;
}

function takeCode(lines) {
  lines.shift();
  const code = [];
  while (lines.length && !lines[0].startsWith("```")) code.push(lines.shift());
  lines.shift();
  return codeFrame(code.join("\n"));
}

function list(lines, tag, marker) {
  const items = takeWhile(lines, marker).map((each) => each.replace(marker, ""));
  return h(
    tag,
    {},
    items.map((item) => {
      const task = item.match(/^\[([ xX])\]\s+(.*)$/);
      return h(
        "li",
        { class: task ? "md-task" : null },
        task ? (task[1] === " " ? "⬜ " : "✅ ") : null,
        inline(task ? task[2] : item),
      );
    }),
  );
}

function takeTable(lines) {
  const rows = takeWhile(lines, /^\|.*\|\s*$/).map((row) =>
    row
      .trim()
      .slice(1, -1)
      .split("|")
      .map((cell) => cell.trim()),
  );
  const [head, , ...body] = rows;
  return h(
    "div",
    { class: "md-table" },
    h(
      "table",
      {},
      h(
        "thead",
        {},
        h(
          "tr",
          {},
          head.map((cell) => h("th", {}, inline(cell))),
        ),
      ),
      h(
        "tbody",
        {},
        body.map((row) =>
          h(
            "tr",
            {},
            row.map((cell) => h("td", {}, inline(cell))),
          ),
        ),
      ),
    ),
  );
}

const MARKS = new RegExp(
  [
    /(`[^`]+`)/, // code
    /\*\*(.+?)\*\*/, // bold
    /__(.+?)__/, // bold
    /\*([^*\s][^*]*)\*/, // italic
    /(?<![\p{L}\p{N}])_([^_]+)_(?![\p{L}\p{N}])/u, // italic
    /~~(.+?)~~/, // struck
    /!?\[([^\]]+)\]\(([^)\s]+)\)/, // a link
    /(https?:\/\/[^\s<>)]+)/, // a bare link
    /:([a-z0-9_+-]+):/, // an emoji
  ]
    .map((mark) => mark.source)
    .join("|"),
  "u",
);

function inline(text) {
  const found = text.match(MARKS);
  if (!found) return text ? [document.createTextNode(text)] : [];
  const [whole, code, bold, bold2, italic, italic2, struck, label, url, bare, name] = found;
  const before = text.slice(0, found.index);
  let node;
  if (code) node = h("code", {}, code.slice(1, -1));
  else if (bold ?? bold2) node = h("strong", {}, inline(bold ?? bold2));
  else if (italic ?? italic2) node = h("em", {}, inline(italic ?? italic2));
  else if (struck) node = h("s", {}, inline(struck));
  else if (label) node = link(url, inline(label));
  else if (bare) node = link(bare, bare);
  else node = emoji(name);
  return [
    ...(before ? [document.createTextNode(before)] : []),
    node,
    ...inline(text.slice(found.index + whole.length)),
  ];
}
