// A list of small records inside a form: seasons, steps, openings. Each input is named as the API points at it.

import { fill, h, icon, uid } from "../core/dom.js";

/**
 * columns: [{key, words, kind, options, read, show, ...attributes}]. first: the rows that are there. add: what the
 * button that adds one says. fresh: a new row. whole(row): how one is sent, where it is not just its columns.
 */
export function rows(name, words, { columns, first, add, fresh = {}, hint, whole = (row) => row }) {
  let held = first.map((each) => ({ ...each }));
  const board = h("div", { class: "table-rows" });
  const element = h("fieldset", { class: "field", name }, h("legend", {}, words), hint && h("p", { class: "hint" }, hint), board,
    h("p", {}, h("button", { type: "button", class: "button quiet", onclick: () => change([...read(), { ...fresh }], held.length) }, icon("plus"), add)),
    h("p", { class: "error", hidden: true }));
  element.readValue = (form) => read(form).map(whole);

  function control(column, row, place) {
    const { key, words: label, kind = "text", options, read: _, show = (value) => value ?? "", ...attributes } = column;
    const id = uid("row");
    const own = { id, name: `${name}/${place}/${key}`, "aria-describedby": `${id}-error`, ...attributes };
    const value = show(row[key]);
    const input = kind === "select" ? h("select", own, options.map(([each, text]) => h("option", { value: each, selected: each === value }, text))) : h("input", { type: kind, ...own, value });
    return h("div", { class: "field" }, h("label", { for: id, class: "small" }, label), input, h("p", { class: "error", id: `${id}-error`, hidden: true }));
  }

  function read(form = element.form) {
    return held.map((row, place) => {
      const given = { ...row };
      for (const { key, read: as = (text) => text } of columns) {
        const found = form?.elements[`${name}/${place}/${key}`];
        if (found) given[key] = as(found.value, form);
      }
      return given;
    });
  }

  function change(next, focus) {
    held = next;
    draw();
    board.children[Math.min(focus, held.length - 1)]?.querySelector("input, select")?.focus();
  }

  function draw() {
    fill(board, held.map((row, place) => h("div", { class: "table-row" }, columns.map((column) => control(column, row, place)),
      h("button", { type: "button", class: "button quiet icon-only", "aria-label": `Remove row ${place + 1}`, onclick: () => change(read().filter((_, each) => each !== place), place) }, icon("cross")))));
  }

  draw();
  return element;
}
