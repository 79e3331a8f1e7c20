// Small things that open over the page: menus, the emoji picker, and questions that must be answered.

import { fill, h } from "./dom.js";

let close = () => {};

/** Opens `content` beside `anchor`; it closes by Escape, by a click elsewhere, or by `closePopover()`. */
export function popover(anchor, content, { onClose = () => {} } = {}) {
  close();
  const box = h("div", { class: "popover" }, content);
  document.body.append(box);
  place(box, anchor);
  anchor.setAttribute("aria-expanded", "true");
  const away = (event) => {
    if (!box.contains(event.target) && !anchor.contains(event.target)) close();
  };
  const escape = (event) => {
    if (event.key !== "Escape") return;
    event.stopPropagation();
    close();
    anchor.focus();
  };
  close = () => {
    box.remove();
    anchor.removeAttribute("aria-expanded");
    document.removeEventListener("pointerdown", away);
    document.removeEventListener("keydown", escape, true);
    close = () => {};
    onClose();
  };
  document.addEventListener("pointerdown", away);
  document.addEventListener("keydown", escape, true);
  box.querySelector("[autofocus], input, button")?.focus();
}

/** Closes what is open. */
export function closePopover() {
  close();
}

/** A menu of choices: `[{label, hint, before, current, choose}]`. */
export function menu(anchor, label, choices) {
  const items = choices.map((choice) =>
    h(
      "button",
      {
        class: choice.danger ? "menu-item menu-danger" : "menu-item",
        type: "button",
        role: "menuitemradio",
        "aria-checked": choice.current ? "true" : "false",
        onclick: () => {
          close();
          choice.choose();
        },
      },
      choice.before,
      h(
        "span",
        { class: "menu-label" },
        choice.label,
        choice.hint && h("span", { class: "menu-hint" }, choice.hint),
      ),
    ),
  );
  const list = h("div", { class: "menu", role: "menu", "aria-label": label }, items);
  list.addEventListener("keydown", (event) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (!step) return;
    event.preventDefault();
    const at = items.indexOf(document.activeElement);
    items[(at + step + items.length) % items.length].focus();
  });
  popover(anchor, list);
  (items.find((item) => item.getAttribute("aria-checked") === "true") ?? items[0])?.focus();
}

/** Asks a Block Kit confirmation; resolves to whether the person confirmed. */
export function confirmed(question, textObject) {
  return new Promise((resolve) => {
    const dialog = h("dialog", { class: "dialog confirm", "aria-labelledby": "confirm-title" });
    const answer = (value) => {
      dialog.close();
      resolve(value);
    };
    fill(
      dialog,
      h("h2", { id: "confirm-title" }, question.title.text),
      h("p", {}, textObject(question.text)),
      h(
        "div",
        { class: "dialog-buttons" },
        h("button", { class: "btn", type: "button", onclick: () => answer(false) }, question.deny.text),
        h(
          "button",
          {
            class: `btn ${question.style === "danger" ? "btn-danger" : "btn-primary"}`,
            type: "button",
            autofocus: true,
            onclick: () => answer(true),
          },
          question.confirm.text,
        ),
      ),
    );
    dialog.addEventListener("close", () => {
      dialog.remove();
      resolve(false);
    });
    document.body.append(dialog);
    dialog.showModal();
  });
}

function place(box, anchor) {
  const at = anchor.getBoundingClientRect();
  const { offsetWidth: width, offsetHeight: height } = box;
  const margin = 8;
  const below = at.bottom + 4 + height < innerHeight;
  const top = below ? at.bottom + 4 : at.top - 4 - height;
  const left = at.left + width + margin < innerWidth ? at.left : at.right - width;
  box.style.top = `${Math.max(margin, Math.min(top, innerHeight - height - margin))}px`;
  box.style.left = `${Math.max(margin, Math.min(left, innerWidth - width - margin))}px`;
}
