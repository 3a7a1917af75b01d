// Judging others: one recording after the other, each heard to its end before it can be judged.

import { call } from "./api.js";
import { TakePlayer } from "./take-player.js";

const root = document.querySelector("[data-listen]");
const stage = root.querySelector("[data-stage]");
const empty = root.querySelector("[data-empty]");
const note = root.querySelector("[data-note]");
const votes = [...root.querySelectorAll("[data-vote]")];
const dialog = document.getElementById("report-clip");
const player = new TakePlayer(document.getElementById("heard"));
const skipped = new Set();
let queue = [];
let judged = 0;
let isBusy = false;

function say(problem) {
  const place = root.querySelector("[data-problem]");
  place.hidden = !problem;
  place.querySelector("p").textContent = problem;
}

async function tried(act) {
  if (isBusy) return false;
  isBusy = true;
  try {
    await act();
    say("");
    return true;
  } catch (error) {
    say(error.message);
    // Decided, reported or withdrawn meanwhile: there is nothing to judge any more.
    return error.status === 404 || error.status === 409;
  } finally {
    isBusy = false;
  }
}

async function fill() {
  const found = await call("GET", root.dataset.queue);
  queue = found.filter((clip) => !skipped.has(clip.id));
}

async function show() {
  if (!queue.length) await tried(fill);
  const [clip] = queue;
  stage.hidden = !clip;
  empty.hidden = Boolean(clip);
  for (const button of votes) button.disabled = true;
  if (!clip) return;
  stage.querySelector("[data-sentence]").textContent = clip.prompt.text;
  stage.querySelector("[data-count]").textContent = judged ? `${judged} judged` : "";
  note.textContent = "Listen to the end.";
  await tried(() => player.fetch(clip.audio_url));
}

async function next() {
  queue.shift();
  await show();
}

async function vote(what) {
  const [clip] = queue;
  if (!clip || votes[0].disabled) return;
  if (!(await tried(() => call("POST", `${root.dataset.queue}/${clip.id}/votes`, { vote: what })))) return;
  judged += 1;
  await next();
}

async function skip() {
  if (!queue.length || isBusy) return;
  skipped.add(queue[0].id);
  await next();
}

player.onHeard = () => {
  for (const button of votes) button.disabled = false;
  note.textContent = "Does it say the sentence, word for word?";
};

for (const button of votes) button.addEventListener("click", () => vote(button.dataset.vote));
root.querySelector("[data-skip]").addEventListener("click", skip);
dialog.querySelector("form").addEventListener("submit", async (event) => {
  const reason = event.target.elements.reason.value;
  const [clip] = queue;
  if (await tried(() => call("POST", `${root.dataset.queue}/${clip.id}/reports`, { reason }))) await next();
  event.target.reset();
});

const KEYS = { p: () => player.toggle(), y: () => vote("valid"), n: () => vote("invalid"), s: skip };
document.addEventListener("keydown", (event) => {
  if (event.metaKey || event.ctrlKey || event.altKey || event.repeat || dialog.open || stage.hidden) return;
  if (event.target.closest("input, textarea, select")) return;
  KEYS[event.key.toLowerCase()]?.();
});

show();
