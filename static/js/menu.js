// A <details> menu closes when the reader goes elsewhere, and gives the focus back on Escape.

export function bindMenus() {
  const menus = [...document.querySelectorAll("[data-menu]")];
  if (!menus.length) return;
  document.addEventListener("click", (event) => {
    for (const menu of menus) if (!menu.contains(event.target)) menu.open = false;
  });
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    const open = menus.find((menu) => menu.open);
    if (!open) return;
    open.open = false;
    open.querySelector("summary").focus();
  });
}
