// Rich text blocks: what Slack's own editor makes of what people type.

import { h } from "./dom.js";
import { emoji } from "./emoji.js";
import { broadcast, channelLink, codeFrame, date, groupMention, link, mention } from "./mrkdwn.js";

/** The nodes of a `rich_text` block. */
export function richText(block) {
  return block.elements.map(part);
}

function part(element) {
  switch (element.type) {
    case "rich_text_list": {
      const tag = element.style === "ordered" ? "ol" : "ul";
      return h(
        tag,
        { style: { "--indent": element.indent ?? 0 } },
        element.elements.map((item) => h("li", {}, item.elements.map(piece))),
      );
    }
    case "rich_text_preformatted":
      return codeFrame(element.elements.map(piece));
    case "rich_text_quote":
      return h("blockquote", {}, element.elements.map(piece));
    default:
      return h("div", { class: "rich-section" }, element.elements.map(piece));
  }
}

function piece(element) {
  switch (element.type) {
    case "text":
      return styled(withBreaks(element.text), element.style);
    case "link":
      return styled(link(element.url, element.text ?? element.url), element.style);
    case "user":
      return mention(element.user_id);
    case "usergroup":
      return groupMention(element.usergroup_id);
    case "channel":
      return channelLink(element.channel_id);
    case "broadcast":
      return broadcast(element.range);
    case "emoji":
      return emoji(element.name);
    case "date":
      return date(element.timestamp, element.format, element.url);
    default:
      return null;
  }
}

function withBreaks(text) {
  return text.split("\n").flatMap((line, number) => (number ? [h("br"), line] : [line]));
}

function styled(content, style = {}) {
  const tags = { bold: "strong", italic: "em", strike: "s", code: "code" };
  return Object.entries(tags).reduce(
    (inner, [name, tag]) => (style[name] ? h(tag, {}, inner) : inner),
    content,
  );
}
