// Choosing files or dropping them, and how far each has come.

import { h, icon, uid } from "../core/dom.js";
import { upload } from "../core/upload.js";
import { summary } from "./forms.js";
import { say } from "./say.js";

const megabytes = (bytes) => `${(bytes / 1_000_000).toLocaleString(undefined, { maximumFractionDigits: 1 })} MB`;

/**
 * fields(file): what stands beside a file. accept: media types to choose from. ondone(medium): one has arrived.
 * Of many files one is under way at a time, so that they arrive in the order in which they were chosen.
 */
export function uploader({ words, hint, accept, fields, ondone, multiple = true }) {
  const id = uid("files");
  const input = h("input", { type: "file", id, class: "unseen", multiple, accept: accept.join(","), "aria-describedby": `${id}-hint`, onchange: () => {
    take(input.files);
    input.value = "";
  } });
  const drop = h("label", { class: "drop", for: id, ondragover: hover, ondragleave: () => drop.classList.remove("over"), ondrop: dropped },
    icon("photo"), h("strong", {}, words), h("span", { class: "small faint", id: `${id}-hint` }, hint));
  const list = h("ul", { class: "uploads", "aria-label": "Under way" });
  const waiting = [];
  let isSending = false;

  function hover(event) {
    event.preventDefault();
    drop.classList.add("over");
  }

  function dropped(event) {
    event.preventDefault();
    drop.classList.remove("over");
    take(event.dataTransfer.files);
  }

  function take(files) {
    for (const file of files) waiting.push(item(file));
    next();
  }

  function item(file) {
    const stop = new AbortController();
    const bar = h("progress", { max: 1, value: 0, "aria-label": `${file.name}, sent` });
    const state = h("span", { class: "small faint" }, "Waiting");
    const remove = h("button", { type: "button", class: "button quiet icon-only", "aria-label": `Give ${file.name} up`, onclick: () => {
      stop.abort();
      row.remove();
    } }, icon("cross"));
    const row = h("li", { class: "upload" }, h("div", { class: "upload-line" }, h("span", { class: "grow" }, file.name), h("span", { class: "small faint" }, megabytes(file.size)), state, remove), bar);
    list.append(row);
    return { file, stop, bar, state, row };
  }

  async function next() {
    if (isSending) return;
    isSending = true;
    try {
      for (let each = waiting.shift(); each; each = waiting.shift()) if (!each.stop.signal.aborted) await run(each);
    } finally {
      isSending = false;
    }
  }

  async function run({ file, stop, bar, state, row }) {
    state.textContent = "Sending";
    try {
      const medium = await upload(file, fields(file), { signal: stop.signal, onprogress: (part) => {
        bar.value = part;
        state.textContent = part < 1 ? `${Math.round(part * 100)} %` : "Being checked";
      } });
      row.remove();
      say(`${file.name} has arrived.`);
      await ondone(medium);
    } catch (error) {
      if (error.name === "AbortError") return;
      if (!error.title) throw error;
      bar.remove();
      state.textContent = "Refused";
      row.append(summary(error, error.errors));
      say(`${file.name}: ${error.title}. ${error.detail ?? ""}`);
    }
  }

  return h("div", { class: "uploader" }, input, drop, list);
}
