// [data-opens=id] opens a dialog; [data-closes] inside it, Escape and a click beside it close it.
// The question mark opens the list of shortcuts, unless it is being typed.

export function bindDialogs() {
  for (const button of document.querySelectorAll("[data-opens]")) {
    button.addEventListener("click", () => document.getElementById(button.dataset.opens)?.showModal());
  }
  for (const dialog of document.querySelectorAll("dialog")) {
    dialog.addEventListener("click", (event) => {
      if (event.target === dialog || event.target.closest("[data-closes]")) dialog.close();
    });
  }
  const shortcuts = document.getElementById("shortcuts");
  document.addEventListener("keydown", (event) => {
    if (event.key !== "?" || event.target.closest("input, textarea, select") || shortcuts?.open) return;
    shortcuts?.showModal();
  });
}
