// System, light or dark: boot.js applies the choice before paint, this changes it.

import { recall, remember } from "./store.js";

export function bindTheme() {
  const buttons = [...document.querySelectorAll("[data-theme-choice]")];
  const show = (choice) => {
    for (const button of buttons) {
      button.setAttribute("aria-pressed", String(button.dataset.themeChoice === choice));
    }
  };
  show(recall("theme") ?? "system");
  for (const button of buttons) {
    button.addEventListener("click", () => {
      const choice = button.dataset.themeChoice;
      remember("theme", choice);
      if (choice === "system") delete document.documentElement.dataset.theme;
      else document.documentElement.dataset.theme = choice;
      show(choice);
      document.dispatchEvent(new CustomEvent("themechange"));
    });
  }
}
