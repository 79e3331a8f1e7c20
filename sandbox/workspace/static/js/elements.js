// Interactive elements of Block Kit.
//
// Each is rendered for a surface: `{choices, act}`. `choices` is what is chosen by block id and action id;
// `act(blockId, element, choice)` tells the app at once, which resolves when the app has acknowledged.

import { h, icon } from "./dom.js";
import { plain, textObject } from "./mrkdwn.js";
import { confirmed, menu } from "./popover.js";
import { store } from "./store.js";

/** The node of an element; `asInput` in an input block, where nothing is told until submission. */
export function element(surface, block, part, { asInput = false, id = "" } = {}) {
  const field = { surface, block, part, asInput, id, label: labelOf(block, part) };
  switch (part.type) {
    case "button":
      return button(field);
    case "image":
      return h("img", { class: "block-thumb", src: part.image_url, alt: part.alt_text, loading: "lazy" });
    case "overflow":
      return overflow(field);
    case "static_select":
      return select(field, options(part), part.initial_option?.value);
    case "users_select":
      return select(field, people(), part.initial_user);
    case "channels_select":
    case "conversations_select":
      return select(field, channels(), part.initial_channel ?? part.initial_conversation);
    case "radio_buttons":
      return choiceList(field, options(part), "radio", [part.initial_option?.value]);
    case "checkboxes":
    case "multi_static_select":
      return choiceList(
        field,
        options(part),
        "checkbox",
        (part.initial_options ?? []).map((each) => each.value),
      );
    case "multi_users_select":
      return choiceList(field, people(), "checkbox", part.initial_users ?? []);
    case "datepicker":
      return input(field, { type: "date" }, part.initial_date);
    case "timepicker":
      return input(field, { type: "time" }, part.initial_time);
    case "number_input":
      return input(
        field,
        {
          type: "number",
          min: part.min_value,
          max: part.max_value,
          step: part.is_decimal_allowed ? "any" : "1",
        },
        part.initial_value,
      );
    case "plain_text_input":
      return part.multiline
        ? textarea(field)
        : input(field, { type: "text", maxlength: part.max_length }, part.initial_value);
    default:
      return h("span", { class: "unsupported" }, `(${part.type})`);
  }
}

function labelOf(block, part) {
  return block.label?.text ?? part.placeholder?.text ?? block.text?.text ?? part.action_id;
}

function options(part) {
  const groups = part.option_groups ?? [{ options: part.options ?? [] }];
  return groups.flatMap((group) =>
    group.options.map((each) => ({
      value: each.value,
      text: each.text,
      description: each.description,
      group: group.label?.text,
    })),
  );
}

function people() {
  return [...store.users.values()]
    .filter((user) => !user.is_bot)
    .map((user) => ({ value: user.id, text: { type: "plain_text", text: user.real_name } }));
}

function channels() {
  return [...store.channels.values()]
    .filter((each) => !each.is_im)
    .map((each) => ({ value: each.id, text: { type: "plain_text", text: `#${each.name}` } }));
}

function chosen({ surface, block, part }, initial) {
  const made = surface.choices[block.block_id]?.[part.action_id];
  return made === undefined ? initial : made;
}

function choose({ surface, block, part }, choice) {
  (surface.choices[block.block_id] ??= {})[part.action_id] = choice;
}

/** Notes a choice and, outside of input blocks, tells the app; a refused confirmation calls `undo`. */
async function changed(field, choice, control, undo = () => {}) {
  const { surface, block, part, asInput } = field;
  if (part.confirm && !asInput && !(await confirmed(part.confirm, textObject))) return undo();
  choose(field, choice);
  if (asInput && !block.dispatch_action) return undefined;
  control.setAttribute("aria-busy", "true");
  try {
    await surface.act(block.block_id, part, choice);
  } finally {
    control.removeAttribute("aria-busy");
  }
  return undefined;
}

function button(field) {
  const { part } = field;
  const style = { primary: "btn-primary", danger: "btn-danger" }[part.style] ?? "";
  const node = h(
    "button",
    {
      class: `btn ${style}`,
      type: "button",
      "aria-label": part.accessibility_label,
      dataset: { action: part.action_id },
      onclick: () => {
        if (node.getAttribute("aria-busy")) return;
        if (part.url) window.open(part.url, "_blank", "noopener");
        changed({ ...field, asInput: false }, part.value ?? null, node);
      },
    },
    plain(part.text.text, part.text),
  );
  return node;
}

function overflow(field) {
  const node = h(
    "button",
    {
      class: "btn btn-overflow",
      type: "button",
      "aria-label": "More",
      "aria-haspopup": "menu",
      dataset: { action: field.part.action_id },
      onclick: () =>
        menu(
          node,
          "More",
          options(field.part).map((each) => ({
            label: plain(each.text.text),
            hint: each.description && plain(each.description.text),
            choose: () => changed(field, each.value, node),
          })),
        ),
    },
    icon("dots"),
  );
  return node;
}

function select(field, all, initial) {
  const current = chosen(field, initial) ?? "";
  const node = h(
    "select",
    {
      class: "select",
      id: field.id || null,
      "aria-label": field.id ? null : field.label,
      dataset: { action: field.part.action_id },
    },
    h(
      "option",
      { value: "", disabled: !field.block.optional, selected: current === "" },
      field.part.placeholder?.text ?? "Choose …",
    ),
    grouped(all, current),
  );
  let before = current;
  node.addEventListener("change", () => {
    changed(field, node.value, node, () => {
      node.value = before;
    });
    before = node.value;
  });
  return h("span", { class: "select-box" }, node, icon("down"));
}

function grouped(all, current) {
  const nodes = [];
  for (const each of all) {
    const option = h(
      "option",
      { value: each.value, selected: each.value === current },
      plain(each.text.text)
        .map((node) => node.textContent)
        .join(""),
    );
    if (!each.group) nodes.push(option);
    else if (nodes.at(-1)?.label === each.group) nodes.at(-1).append(option);
    else nodes.push(h("optgroup", { label: each.group }, option));
  }
  return nodes;
}

function choiceList(field, all, type, initial) {
  const current = [chosen(field, type === "radio" ? initial[0] : initial) ?? []].flat();
  const name = `${field.block.block_id}-${field.part.action_id}-${Math.random().toString(36).slice(2)}`;
  const boxes = all.map((each) =>
    h("input", { type, name, value: each.value, checked: current.includes(each.value) }),
  );
  const node = h(
    "fieldset",
    { class: "choice-list", id: field.id || null, dataset: { action: field.part.action_id } },
    h("legend", { class: "hidden" }, field.label),
    all.map((each, number) =>
      h(
        "label",
        { class: "choice" },
        boxes[number],
        h(
          "span",
          {},
          textObject(each.text),
          each.description && h("span", { class: "choice-hint" }, textObject(each.description)),
        ),
      ),
    ),
  );
  node.addEventListener("change", () => {
    const values = boxes.filter((box) => box.checked).map((box) => box.value);
    changed(field, type === "radio" ? values[0] : values, node, () =>
      boxes.forEach((box) => {
        box.checked = current.includes(box.value);
      }),
    );
  });
  return node;
}

function input(field, attributes, initial) {
  const node = h("input", {
    class: "input",
    ...attributes,
    id: field.id || null,
    "aria-label": field.id ? null : field.label,
    placeholder: field.part.placeholder?.text,
    value: chosen(field, initial) ?? "",
    dataset: { action: field.part.action_id },
    autofocus: field.part.focus_on_load,
  });
  noteTyping(field, node, attributes.type === "date" || attributes.type === "time" ? "change" : "blur");
  return node;
}

function textarea(field) {
  const node = h(
    "textarea",
    {
      class: "input",
      rows: "4",
      id: field.id || null,
      placeholder: field.part.placeholder?.text,
      maxlength: field.part.max_length,
      dataset: { action: field.part.action_id },
      autofocus: field.part.focus_on_load,
    },
    chosen(field, field.part.initial_value) ?? "",
  );
  noteTyping(field, node, "blur");
  return node;
}

/** What is typed counts at once; the app is told, where it wants to be, when the person is done. */
function noteTyping(field, node, done) {
  let told = node.value;
  node.addEventListener("input", () => choose(field, node.value));
  node.addEventListener(done, () => {
    if (node.value === told) return;
    told = node.value;
    changed(field, node.value, node);
  });
}
