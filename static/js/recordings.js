// A recording is dropped anywhere on its field, and told at once where it is too large.

function checkSize(input) {
  const bytes = [...input.files].reduce((sum, file) => sum + file.size, 0);
  const limit = Number(input.dataset.maxBytes);
  input.setCustomValidity(bytes > limit ? `A recording has at most ${limit / 1e6} MB.` : "");
}

for (const zone of document.querySelectorAll("[data-dropzone]")) {
  const input = zone.querySelector("input[type=file]");
  input.addEventListener("change", () => checkSize(input));
  for (const name of ["dragenter", "dragover"]) {
    zone.addEventListener(name, (event) => {
      event.preventDefault();
      zone.classList.add("is-over");
    });
  }
  for (const name of ["dragleave", "drop"]) zone.addEventListener(name, () => zone.classList.remove("is-over"));
  zone.addEventListener("drop", (event) => {
    event.preventDefault();
    input.files = event.dataTransfer.files;
    input.dispatchEvent(new Event("change", { bubbles: true }));
  });
}
