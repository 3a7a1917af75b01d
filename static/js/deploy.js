// The form of a new deployment: what it would cost follows what is chosen, counted as in
// apps/deployments/estimate.py and written as by the filter `dollars`.

const HOURS_PER_MONTH = 730;
const form = document.querySelector("[data-deploy]");
const fields = form.elements;

function whole(name, least = 0) {
  return Math.max(least, Math.floor(Number(fields[name].value)) || 0);
}

function dollars(amount) {
  if (amount === null) return "–";
  const places = amount >= 1 || Math.round(amount * 1000) % 10 === 0 ? 2 : 3;
  const options = { minimumFractionDigits: places, maximumFractionDigits: places };
  return `$${amount.toLocaleString("en", options).replaceAll(",", "\u202f")}`;
}

function replicas(count) {
  return count === 1 ? "1 replica" : `${count} replicas`;
}

// Of one GPU for an hour, as chosen now; null where nobody has told it.
function priceOf(card) {
  const kind = fields.kind.value === "dedicated" ? "dedicated" : "serverless";
  const told = card.dataset[fields.is_spot.value === "no" ? kind : `${kind}Spot`];
  return told === "" ? null : Number(told);
}

// Of one replica.
function price() {
  const card = form.querySelector("[name=gpu]:checked")?.closest("[data-serverless]");
  const one = card ? priceOf(card) : null;
  return one === null ? null : one * whole("gpu_count", 1);
}

function write(name, text) {
  form.querySelector(`[data-estimate-of="${name}"]`).textContent = text;
}

function showIf(name, is) {
  for (const part of form.querySelectorAll(`[data-estimate-if="${name}"]`)) part.hidden = !is;
}

function show() {
  const one = price();
  const min = whole("min_replicas");
  const max = Math.max(min, whole("max_replicas"));
  const on = Math.max(1, min);
  const times = (count) => (one === null ? null : one * count);
  const hasGpu = fields.gpu.value !== "";
  write("min", replicas(min));
  write("max", replicas(max));
  write("on", replicas(on));
  write("at-min", dollars(times(min)));
  write("at-max", dollars(times(max)));
  write("month", dollars(times(on * HOURS_PER_MONTH)));
  showIf("sleeps", min === 0);
  showIf("priced", one !== null);
  showIf("cpu", !hasGpu);
  showIf("unknown", hasGpu && one === null);
  for (const card of form.querySelectorAll("[data-serverless]")) {
    card.querySelector("[data-price]").textContent = dollars(priceOf(card));
  }
  form.querySelector("[data-with-gpu]").hidden = !hasGpu;
  form.querySelector("[data-bounds]").textContent = min === max ? replicas(max) : `${min} to ${replicas(max)}`;
}

// A dedicated instance never sleeps. What the reader wrote stays as it is.
function followKind() {
  const { min_replicas: min, max_replicas: max } = fields;
  if (fields.kind.value === "dedicated" && min.value === min.defaultValue && whole("min_replicas") === 0) {
    min.value = 1;
    if (max.value === max.defaultValue) max.value = 1;
  } else if (fields.kind.value === "serverless" && min.value === "1" && min.defaultValue === "0") {
    min.value = min.defaultValue;
    if (max.value === "1") max.value = max.defaultValue;
  }
}

form.addEventListener("change", (event) => event.target.name === "kind" && followKind());
for (const event of ["change", "input"]) form.addEventListener(event, show);
show();
