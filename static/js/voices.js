// Voices to hear: each clip is fetched once it is asked for; one that is being made is looked for now and then.

import "./clips.js";

const LOOK_EVERY_MS = 3000;

async function hasPreview(url) {
  const response = await fetch(url).catch(() => null);
  return response?.ok ? Boolean((await response.json()).preview_url) : false;
}

async function look(pending) {
  for (const element of pending) {
    if (await hasPreview(element.dataset.pending)) {
      location.reload();
      return;
    }
  }
  setTimeout(() => look(pending), LOOK_EVERY_MS);
}

const pending = [...document.querySelectorAll("[data-pending]")];
if (pending.length) setTimeout(() => look(pending), LOOK_EVERY_MS);
