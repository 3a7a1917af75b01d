// Forms that ask this worker, and show what it answers.
import { element } from "/docs/elements.js";

const UNPLAYABLE = new Set(["pcm", "mulaw", "alaw"]);

export function speakForm(spec) {
  const form = document.getElementById("speak");
  const schema = spec.components.schemas.SpeechRequest.properties;
  form.format.append(...schema.format.enum.map((name) => element("option", { value: name }, name)));
  const showCommand = () => { document.getElementById("curl").textContent = command(form); };
  form.addEventListener("input", showCommand);
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    speak(form);
  });
  form.text.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && (event.metaKey || event.ctrlKey)) form.requestSubmit();
  });
  showCommand();
  return {
    offer(ready) {
      const voices = (ready.voices ?? []).map((name) => element("option", { value: name }, name));
      form.voice.replaceChildren(element("option", { value: "" }, "default"), ...voices);
    },
  };
}

function request(form) {
  const asked = { text: form.text.value };
  if (form.voice.value) asked.voice = form.voice.value;
  if (form.format.value !== "wav") asked.format = form.format.value;
  if (form.speed.value && Number(form.speed.value) !== 1) asked.speed = Number(form.speed.value);
  if (form.stream.checked) asked.stream = true;
  return asked;
}

function command(form) {
  const body = JSON.stringify(request(form)).replaceAll("'", "'\\''");
  const token = form.token.value ? ' -H "X-API-Key: $API_KEY"' : "";
  const file = `speech.${form.format.value}`;
  return `curl ${location.origin}/generate${token} -H 'Content-Type: application/json' \\
  -d '${body}' --fail-with-body -o ${file}`;
}

function headersWithToken(headers = {}) {
  const token = document.getElementById("speak").token.value;
  return token ? { ...headers, "X-API-Key": token } : headers;
}

async function speak(form) {
  const [button, heard, problem] = [form.querySelector("button"), byId("heard"), byId("problem")];
  button.disabled = true;
  problem.hidden = true;
  try {
    await play(form);
    heard.hidden = false;
  } catch (error) {
    heard.hidden = true;
    problem.textContent = error.message;
    problem.hidden = false;
  } finally {
    button.disabled = false;
  }
}

async function play(form) {
  const startedAt = performance.now();
  const response = await fetch("/generate", {
    method: "POST",
    headers: headersWithToken({ "Content-Type": "application/json" }),
    body: JSON.stringify(request(form)),
  });
  if (!response.ok) throw new Error(await sentence(response));
  const { firstAt, blob } = await collected(response);
  const player = byId("player");
  if (player.dataset.url) URL.revokeObjectURL(player.dataset.url);
  const url = URL.createObjectURL(blob);
  player.dataset.url = url;
  player.hidden = UNPLAYABLE.has(form.format.value);
  if (!player.hidden) {
    player.src = url;
    player.play().catch(() => {});
  }
  const download = element("a", { href: url, download: `speech.${form.format.value}` }, "Download");
  byId("facts").replaceChildren(
    fact(`first bytes after ${Math.round(firstAt - startedAt)} ms`),
    fact(`all after ${Math.round(performance.now() - startedAt)} ms`),
    fact(`${(blob.size / 1000).toFixed(1)} kB`),
    ...length(response),
    download,
  );
}

async function collected(response) {
  const [parts, reader] = [[], response.body.getReader()];
  let firstAt = performance.now();
  for (let part = await reader.read(); !part.done; part = await reader.read()) {
    if (!parts.length) firstAt = performance.now();
    parts.push(part.value);
  }
  return { firstAt, blob: new Blob(parts, { type: response.headers.get("content-type") }) };
}

function length(response) {
  const ms = response.headers.get("x-audio-ms");
  return ms ? [fact(`${(ms / 1000).toFixed(2)} s of speech`)] : [];
}

function fact(text) {
  return element("span", {}, text);
}

async function sentence(response) {
  const text = await response.text();
  try {
    const { code, message } = JSON.parse(text).error;
    return `${response.status} ${code}: ${message}`;
  } catch {
    return `${response.status}: ${text}`;
  }
}

// A small form for operations that take a path, JSON or nothing; null for /generate, which has its own.
export function operationForm(path, method, operation) {
  const body = operation.requestBody?.content["application/json"];
  if (operation.operationId === "generate" || (operation.requestBody && !body)) return null;
  const form = element("form", {});
  for (const { name } of (operation.parameters ?? []).filter((parameter) => parameter.in === "path")) {
    form.append(element("label", { class: "wide" }, name, element("input", { name, required: "" })));
  }
  if (body) {
    const text = element("textarea", { class: "json", name: "json", rows: 3 }, JSON.stringify(body.example));
    form.append(element("label", { class: "wide" }, "JSON", text));
  }
  const answer = element("div", { class: "answer wide", hidden: "" });
  form.append(element("button", { type: "submit" }, "Send"), answer);
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const url = path.replace(/\{(\w+)\}/g, (_, name) => encodeURIComponent(form[name].value));
    const sent = body ? { headers: { "Content-Type": "application/json" }, body: form.json.value } : {};
    answer.replaceChildren(...(await ask(url, method, sent)));
    answer.hidden = false;
  });
  return form;
}

async function ask(url, method, { headers, body }) {
  try {
    const response = await fetch(url, { method: method.toUpperCase(), headers: headersWithToken(headers), body });
    const text = await response.text();
    const good = response.ok ? "good" : "bad";
    return [element("p", { class: `status ${good}` }, String(response.status)), element("pre", {}, pretty(text))];
  } catch {
    return [element("p", { class: "status bad" }, "The worker does not answer.")];
  }
}

function pretty(text) {
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text;
  }
}

function byId(id) {
  return document.getElementById(id);
}
