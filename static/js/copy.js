// [data-copy=value] copies its value; with [data-copy-from=id] the code that is shown in that block.

const SHOWN_MS = 1600;

function valueOf(button) {
  if (!button.dataset.copyFrom) return button.dataset.copy;
  const block = document.getElementById(button.dataset.copyFrom);
  return block.querySelector("pre:not([hidden])").textContent;
}

// Without a secure context (plain http on a LAN) there is no clipboard API: an old way still works.
function copyBySelection(text) {
  const area = document.createElement("textarea");
  area.value = text;
  area.className = "visually-hidden";
  document.body.append(area);
  area.select();
  document.execCommand("copy");
  area.remove();
}

// One listener for all, for some buttons come later than the page.
export function bindCopy() {
  document.addEventListener("click", async (event) => {
    const button = event.target.closest("[data-copy]");
    if (!button) return;
    const text = valueOf(button);
    if (navigator.clipboard) await navigator.clipboard.writeText(text);
    else copyBySelection(text);
    button.classList.add("copied");
    setTimeout(() => button.classList.remove("copied"), SHOWN_MS);
  });
}
