// Block Kit, block by block.

import { h } from "./dom.js";
import { element } from "./elements.js";
import { markdown } from "./markdown.js";
import { plain, textObject } from "./mrkdwn.js";
import { richText } from "./richtext.js";

let ids = 0;

/** The nodes of `blocks` on a surface (see elements.js); `errors` are shown beside inputs, by block id. */
export function blocks(surface, list, errors = {}) {
  return list.map((each) => {
    const node = block(surface, each, errors[each.block_id]);
    node.dataset.block = each.block_id;
    return node;
  });
}

function block(surface, each, error) {
  switch (each.type) {
    case "header":
      return h("h3", { class: "block block-header" }, plain(each.text.text, each.text));
    case "section":
      return section(surface, each);
    case "context":
      return h(
        "div",
        { class: "block block-context" },
        each.elements.map((part) =>
          part.type === "image"
            ? h("img", { class: "context-image", src: part.image_url, alt: part.alt_text })
            : h("span", { class: "context-text" }, textObject(part)),
        ),
      );
    case "actions":
      return h(
        "div",
        { class: "block block-actions" },
        each.elements.map((part) => element(surface, each, part)),
      );
    case "divider":
      return h("hr", { class: "block block-divider" });
    case "image":
      return h(
        "figure",
        { class: "block block-image" },
        each.title && h("figcaption", {}, plain(each.title.text, each.title)),
        h("img", { src: each.image_url, alt: each.alt_text, loading: "lazy" }),
      );
    case "rich_text":
      return h("div", { class: "block block-rich" }, richText(each));
    case "markdown":
      return h("div", { class: "block block-markdown" }, markdown(each.text));
    case "input":
      return inputBlock(surface, each, error);
    default:
      return h("div", { class: "block unsupported" }, `(${each.type})`);
  }
}

function section(surface, each) {
  return h(
    "div",
    { class: "block block-section" },
    h(
      "div",
      { class: "section-body" },
      each.text && h("div", { class: "section-text" }, textObject(each.text)),
      each.fields &&
        h(
          "div",
          { class: "section-fields" },
          each.fields.map((field) => h("div", { class: "section-field" }, textObject(field))),
        ),
    ),
    each.accessory && h("div", { class: "section-accessory" }, element(surface, each, each.accessory)),
  );
}

function inputBlock(surface, each, error) {
  ids += 1;
  const id = `input-${ids}`;
  return h(
    "div",
    { class: error ? "block block-input has-error" : "block block-input" },
    h(
      "label",
      { class: "input-label", for: id },
      plain(each.label.text, each.label),
      each.optional && h("span", { class: "optional" }, " (optional)"),
    ),
    element(surface, each, each.element, { asInput: true, id }),
    each.hint && h("p", { class: "input-hint" }, plain(each.hint.text, each.hint)),
    error && h("p", { class: "input-error", role: "alert" }, error),
  );
}
