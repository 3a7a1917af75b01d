// The page over /openapi.json: what there is, from the document; what there is right now, from /ready.
import { operationForm, speakForm } from "/docs/forms.js";
import { element, prose } from "/docs/elements.js";

const METHODS = ["get", "post", "put", "delete"];

const spec = await (await fetch("/openapi.json")).json();
document.getElementById("introduction").append(...prose(spec.info.description));
showRail();
document
  .getElementById("operations")
  .append(...operations().map(({ path, method, operation }) => card(path, method, operation)));
const form = speakForm(spec);
await showState();
document.addEventListener("click", copy);
document.getElementById(location.hash.slice(1))?.scrollIntoView();

function operations() {
  return Object.entries(spec.paths).flatMap(([path, item]) =>
    METHODS.filter((method) => item[method]).map((method) => ({ path, method, operation: item[method] })),
  );
}

function showRail() {
  const rail = document.getElementById("rail");
  rail.append(element("a", { href: "#try" }, "Try it"));
  for (const tag of spec.tags) {
    rail.append(element("h2", {}, tag.name));
    for (const { path, method, operation } of operations()) {
      if (operation.tags[0] === tag.name) {
        rail.append(element("a", { href: `#${operation.operationId}` }, badge(method), path));
      }
    }
  }
}

async function showState() {
  const state = document.getElementById("state");
  try {
    const response = await fetch("/ready");
    const ready = await response.json();
    state.dataset.state = ready.status ?? "away";
    state.textContent = ready.status ? [ready.status, ready.engine, ...ready.models].join(" · ") : "wants its token";
    form.offer(ready);
    if (ready.status === "loading") setTimeout(showState, 500);
  } catch {
    state.dataset.state = "away";
    state.textContent = "does not answer";
  }
}

function badge(method) {
  return element("span", { class: `method ${method}` }, method.toUpperCase());
}

function card(path, method, operation) {
  const title = element("h2", {}, badge(method), element("span", { class: "path" }, path));
  title.append(element("span", { class: "summary" }, operation.summary));
  const section = element("section", { class: "card", id: operation.operationId }, title);
  if (operation.description) section.append(element("div", { class: "prose" }, ...prose(operation.description)));
  const body = operation.requestBody?.content["application/json"];
  const fields = [...(operation.parameters ?? []).map(fromParameter), ...fromSchema(resolve(body?.schema))];
  if (fields.length) section.append(element("h3", {}, "Fields"), fieldTable(fields));
  section.append(element("h3", {}, "Answers"), answerTable(operation.responses));
  const tryable = operationForm(path, method, operation);
  if (tryable) section.append(tryable);
  return section;
}

function fromParameter(parameter) {
  const { name, required, description } = parameter;
  return { name, where: parameter.in, required, description, schema: resolve(parameter.schema) };
}

function fromSchema(schema) {
  return Object.entries(schema?.properties ?? {}).map(([name, of]) => ({
    name,
    required: schema.required?.includes(name),
    description: of.description,
    schema: of,
  }));
}

function fieldTable(fields) {
  const rows = fields.map(({ name, where, required, description, schema }) => {
    const first = element("td", {}, element("code", {}, name));
    if (required) first.append(element("span", { class: "required" }, "required"));
    const kind = [where === "header" || where === "path" ? where : "", shape(schema)].filter(Boolean).join(", ");
    const last = element("td", {}, ...prose(description ?? schema.description ?? ""));
    return element("tr", {}, first, element("td", {}, element("span", { class: "kind" }, kind)), last);
  });
  return table(["name", "type", "meaning"], rows);
}

function shape(schema) {
  const parts = [schema.enum ? schema.enum.join(" | ") : schema.type];
  if (schema.minimum !== undefined) parts.push(`${schema.minimum} to ${schema.maximum}`);
  if (schema.maxLength !== undefined) parts.push(`up to ${schema.maxLength.toLocaleString("en")} characters`);
  if (schema.default !== undefined) parts.push(`default ${schema.default}`);
  return parts.join(", ");
}

function answerTable(responses) {
  const rows = Object.entries(responses).map(([status, response]) => {
    const good = status.startsWith("2") ? "good" : "bad";
    const first = element("td", {}, element("span", { class: `status ${good}` }, status));
    const last = element("td", {}, ...prose(response.description), ...contents(response));
    return element("tr", {}, first, last);
  });
  return table(["status", "meaning"], rows);
}

function contents(response) {
  return Object.entries(response.content ?? {}).flatMap(([type, content]) => {
    const examples = content.examples ?? (content.example && { example: { value: content.example } });
    const shown = examples
      ? [element("pre", {}, Object.values(examples).map((one) => JSON.stringify(one.value, null, 2)).join("\n\n"))]
      : prose(content.schema?.description ?? "");
    if (!shown.length) return [element("p", { class: "kind" }, element("code", {}, type))];
    const title = examples ? "Example" : type;
    return [element("details", {}, element("summary", {}, title), ...shown)];
  });
}

function table(head, rows) {
  const kind = head.length === 2 ? "answers" : "fields";
  const titles = head.map((title) => element("th", { scope: "col" }, title));
  const whole = element("table", { class: kind }, element("thead", {}, element("tr", {}, ...titles)), element("tbody", {}, ...rows));
  return element("div", { class: "scroll" }, whole);
}

function resolve(schema) {
  if (!schema?.$ref) return schema;
  return schema.$ref.slice(2).split("/").reduce((at, key) => at[key], spec);
}

async function copy(event) {
  const button = event.target.closest("[data-copies]");
  if (!button) return;
  await navigator.clipboard.writeText(document.getElementById(button.dataset.copies).textContent);
  button.textContent = "Copied";
  setTimeout(() => { button.textContent = "Copy"; }, 1500);
}
