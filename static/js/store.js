// What the reader chose, kept by the browser; where storage is closed the choice lasts as long as the page.

export function remember(name, value) {
  try {
    localStorage.setItem(name, value);
  } catch {
    // Nothing to do: the page already shows the choice.
  }
}

export function recall(name) {
  try {
    return localStorage.getItem(name);
  } catch {
    return null;
  }
}
