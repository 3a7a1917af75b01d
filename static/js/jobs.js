// The form of a new job: characters are counted as they are charged, and a file is read into the field.

const form = document.querySelector("[data-new-job]");
const { text, title } = form.elements;
const counter = form.querySelector("[data-counter]");
const submit = form.querySelector("[type=submit]");
const limit = Number(text.dataset.limit);

// Code points, as the server counts: the second half of a pair is none of its own.
function characters(value) {
  let count = value.length;
  for (let i = 1; i < value.length; i += 1) {
    const unit = value.charCodeAt(i);
    if (unit >= 0xdc00 && unit <= 0xdfff) count -= 1;
  }
  return count;
}

function show() {
  const count = characters(text.value);
  counter.hidden = false;
  counter.querySelector("[data-count]").textContent = count.toLocaleString("en").replaceAll(",", "\u202f");
  counter.classList.toggle("count-over", count > limit);
  submit.disabled = count > limit;
}

async function take(file) {
  if (!file) return;
  text.value = await file.text();
  if (!title.value) title.value = file.name.replace(/\.[^.]+$/, "");
  show();
  text.focus();
}

text.addEventListener("input", show);
form.querySelector("[data-text-file]").addEventListener("change", (event) => take(event.target.files[0]));
for (const name of ["dragenter", "dragover"]) {
  text.addEventListener(name, (event) => {
    if (!event.dataTransfer.types.includes("Files")) return;
    event.preventDefault();
    text.classList.add("is-over");
  });
}
for (const name of ["dragleave", "drop"]) text.addEventListener(name, () => text.classList.remove("is-over"));
text.addEventListener("drop", (event) => {
  if (!event.dataTransfer.files.length) return;
  event.preventDefault();
  take(event.dataTransfer.files[0]);
});
show();
