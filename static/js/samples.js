// The same call as code: what the reader chose is written into the samples, quoted for where it stands.

function quoted(value) {
  return typeof value === "number" ? String(value) : JSON.stringify(value);
}

// JSON inside single quotes of a shell.
function inShell(value) {
  return quoted(value).replaceAll("'", `'\\''`);
}

export function bindSamples() {
  document.addEventListener("samplechange", ({ detail }) => {
    for (const span of document.querySelectorAll("[data-fill]")) {
      const value = detail[span.dataset.fill];
      span.textContent = span.dataset.in === "shell" ? inShell(value) : quoted(value);
    }
  });
}
