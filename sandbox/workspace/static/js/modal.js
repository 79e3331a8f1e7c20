// Forms: the top one of those that are open is shown in a dialog.

import { blocks } from "./blocks.js";
import { fill, h, icon, toast } from "./dom.js";
import { plain } from "./mrkdwn.js";
import { doing, store } from "./store.js";

/** The dialog; `update()` shows, changes or closes it. */
export function formDialog() {
  const dialog = h("dialog", { class: "dialog form-dialog", "aria-labelledby": "form-title" });
  let shown = null;
  let surface = null;
  let errors = {};

  function update() {
    const view = store.views.at(-1) ?? null;
    if (!view) {
      shown = null;
      if (dialog.open) dialog.close();
      return;
    }
    if (view.id !== shown?.id) surface = { choices: {}, act: (...what) => act(view.id, ...what) };
    if (view.id !== shown?.id || view.hash !== shown.hash) errors = {};
    if (JSON.stringify(view) !== JSON.stringify(shown)) render(view);
    shown = view;
  }

  function render(view) {
    const stacked = store.views.length > 1;
    const submit = h("button", { class: "btn btn-primary", type: "submit" }, view.submit?.text ?? "Submit");
    const form = h(
      "form",
      { class: "form", novalidate: true },
      h(
        "div",
        { class: "form-head" },
        stacked &&
          h(
            "button",
            { class: "icon-button", type: "button", "aria-label": "Back", onclick: () => leave(view) },
            icon("back"),
          ),
        h("img", { class: "form-logo", src: "/static/icon.svg", alt: "" }),
        h("h2", { id: "form-title" }, plain(view.title.text)),
        h(
          "button",
          { class: "icon-button", type: "button", "aria-label": "Close", onclick: () => leave(view, true) },
          icon("close"),
        ),
      ),
      h("div", { class: "form-body blocks" }, blocks(surface, view.blocks, errors)),
      h(
        "div",
        { class: "dialog-buttons" },
        h(
          "button",
          { class: "btn", type: "button", onclick: () => leave(view) },
          view.close?.text ?? "Cancel",
        ),
        view.submit && submit,
      ),
    );
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      send(view, submit);
    });
    fill(dialog, form);
    if (!dialog.isConnected) document.body.append(dialog);
    if (!dialog.open) dialog.showModal();
    (
      form.querySelector("[autofocus]") ??
      form.querySelector(".form-body input, .form-body select, .form-body textarea")
    )?.focus();
  }

  async function send(view, button) {
    button.disabled = true;
    try {
      const answer = await doing("submit", { view_id: view.id, choices: surface.choices });
      if (answer.delivery?.error) toast("We had some trouble connecting. Try again?", "error");
      errors = answer.errors;
      if (Object.keys(errors).length) render(view);
    } catch (error) {
      toast(error.message, "error");
    } finally {
      button.disabled = false;
    }
  }

  async function act(viewId, blockId, part, choice) {
    try {
      const { delivery } = await doing("click", {
        view_id: viewId,
        choices: surface.choices,
        action: { block_id: blockId, action_id: part.action_id, choice },
      });
      if (delivery.error) toast("The app did not answer in time.", "error");
    } catch (error) {
      toast(error.message, "error");
    }
  }

  async function leave(view, all = false) {
    try {
      await doing("close", { view_id: view.id, all });
    } catch (error) {
      toast(error.message, "error");
    }
  }

  dialog.addEventListener("cancel", (event) => {
    event.preventDefault();
    if (shown) leave(shown);
  });
  return { update };
}
