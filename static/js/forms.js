// Forms: errors take the focus, filters apply as they change, nothing is sent twice.

function sendOnce(form) {
  form.addEventListener("submit", (event) => {
    if (form.dataset.sent) event.preventDefault();
    form.dataset.sent = "yes";
  });
  // Back to a page kept in memory: the form may be sent again.
  addEventListener("pageshow", () => delete form.dataset.sent);
}

// A button that destroys wakes up once the name is typed; the server checks it again.
function confirmByName(input) {
  const button = input.form.querySelector("[type=submit]");
  const check = () => {
    button.disabled = input.value.trim() !== input.dataset.confirms;
  };
  input.addEventListener("input", check);
  check();
}

export function bindForms() {
  document.querySelector("[data-focus]")?.focus();
  for (const form of document.querySelectorAll("form[method=post]:not([data-own-submit])")) sendOnce(form);
  for (const form of document.querySelectorAll("[data-autosubmit]")) {
    form.addEventListener("change", () => form.requestSubmit());
  }
  for (const input of document.querySelectorAll("[data-confirms]")) confirmByName(input);
  // A page that answers a POST and shows a secret must not be asked for again by a reload.
  const address = document.querySelector("[data-replace-address]")?.dataset.replaceAddress;
  if (address) history.replaceState(null, "", address);
}
