// Runs before the first paint: what the reader chose earlier must not flash in later.
(() => {
  const root = document.documentElement;
  root.classList.add("scripted");
  try {
    const theme = localStorage.getItem("theme");
    if (theme === "light" || theme === "dark") root.dataset.theme = theme;
    root.dataset.dismissed = localStorage.getItem("dismissed") ?? "";
  } catch {
    // Storage is closed to us (a private window): the system's theme and every banner it is.
  }
})();
