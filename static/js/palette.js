// ⌘K or Ctrl K: type a few letters, arrow to a page, Enter.

const isApple = /Mac|iPhone|iPad/.test(navigator.platform);

function matches(option, words) {
  const text = option.dataset.words.toLowerCase();
  return words.every((word) => text.includes(word));
}

class Palette {
  constructor(dialog) {
    this.dialog = dialog;
    this.input = dialog.querySelector("[data-palette-input]");
    this.none = dialog.querySelector("[data-palette-none]");
    this.options = [...dialog.querySelectorAll("[role=option]")];
    this.input.addEventListener("input", () => this.filter());
    this.input.addEventListener("keydown", (event) => this.onKey(event));
    dialog.addEventListener("toggle", (event) => {
      if (event.newState === "open") this.reset();
    });
  }

  get shown() {
    return this.options.filter((option) => !option.hidden);
  }

  toggle() {
    if (this.dialog.open) this.dialog.close();
    else {
      this.dialog.showModal();
      this.reset();
    }
  }

  reset() {
    this.input.value = "";
    this.filter();
    this.input.focus();
  }

  filter() {
    const words = this.input.value.toLowerCase().split(/\s+/).filter(Boolean);
    for (const option of this.options) option.hidden = !matches(option, words);
    this.none.hidden = this.shown.length > 0;
    this.select(0);
  }

  select(index) {
    const shown = this.shown;
    this.index = shown.length ? (index + shown.length) % shown.length : 0;
    for (const option of this.options) option.setAttribute("aria-selected", "false");
    const current = shown[this.index];
    current?.setAttribute("aria-selected", "true");
    current?.scrollIntoView({ block: "nearest" });
    this.input.setAttribute("aria-activedescendant", current?.id ?? "");
  }

  onKey(event) {
    if (event.key === "ArrowDown") this.select(this.index + 1);
    else if (event.key === "ArrowUp") this.select(this.index - 1);
    else if (event.key === "Enter") this.shown[this.index]?.click();
    else return;
    event.preventDefault();
  }
}

export function bindPalette() {
  for (const label of document.querySelectorAll("[data-modifier-key]")) {
    label.textContent = `${isApple ? "⌘" : "Ctrl "}${label.dataset.modifierKey}`;
  }
  const dialog = document.getElementById("palette");
  if (!dialog) return;
  const palette = new Palette(dialog);
  document.addEventListener("keydown", (event) => {
    if (event.key.toLowerCase() !== "k" || !(event.metaKey || event.ctrlKey)) return;
    event.preventDefault();
    palette.toggle();
  });
}
