// Tabs of one family ([data-tabs=name]) move together on a page and are remembered between pages.

import { recall, remember } from "./store.js";

function show(block, name) {
  const tabs = [...block.querySelectorAll("[data-tab]")];
  if (!tabs.some((tab) => tab.dataset.tab === name)) return;
  for (const tab of tabs) {
    const selected = tab.dataset.tab === name;
    tab.setAttribute("aria-selected", String(selected));
    tab.tabIndex = selected ? 0 : -1;
    document.getElementById(tab.getAttribute("aria-controls")).hidden = !selected;
  }
}

function choose(family, name) {
  for (const block of document.querySelectorAll(`[data-tabs="${family}"]`)) show(block, name);
  remember(`tab-${family}`, name);
}

function onKey(event, tabs, index) {
  const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
  if (!step) return;
  event.preventDefault();
  const next = tabs[(index + step + tabs.length) % tabs.length];
  next.focus();
  next.click();
}

// On a narrow screen the row of tabs scrolls: the one that is open is in sight.
function reveal(tab, row = tab.parentElement) {
  row.scrollLeft = tab.offsetLeft - row.offsetLeft - (row.clientWidth - tab.offsetWidth) / 2;
}

export function bindTabs() {
  for (const tab of document.querySelectorAll(".tabs > [aria-current]")) reveal(tab);
  const page = document.querySelector(".rail-link[aria-current]");
  if (page) reveal(page, page.closest(".rail-nav"));
  for (const block of document.querySelectorAll("[data-tabs]")) {
    const family = block.dataset.tabs;
    const tabs = [...block.querySelectorAll("[data-tab]")];
    tabs.forEach((tab, index) => {
      tab.addEventListener("click", () => choose(family, tab.dataset.tab));
      tab.addEventListener("keydown", (event) => onKey(event, tabs, index));
    });
    const remembered = recall(`tab-${family}`);
    if (remembered) show(block, remembered);
  }
}
