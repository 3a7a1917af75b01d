// Banners stay dismissed; toasts that report success leave by themselves, errors wait to be read.

import { remember } from "./store.js";

const READ_MS = 6000;

export function bindBanners() {
  const root = document.documentElement;
  for (const button of document.querySelectorAll("[data-dismiss]")) {
    button.addEventListener("click", () => {
      const names = new Set(root.dataset.dismissed.split(" ").filter(Boolean)).add(button.dataset.dismiss);
      root.dataset.dismissed = [...names].join(" ");
      remember("dismissed", root.dataset.dismissed);
    });
  }
}

export function bindToasts() {
  for (const toast of document.querySelectorAll("[data-toast]")) {
    toast.querySelector("[data-close-toast]").addEventListener("click", () => toast.remove());
    if (!toast.classList.contains("toast-red")) setTimeout(() => toast.remove(), READ_MS);
  }
}
