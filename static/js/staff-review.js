// The review queue by keys: a press is a click on the button that shows the key. Pictures follow the sound.

const root = document.getElementById("review");
const away = document.querySelector("[data-away]");
let isBusy = false;

const audio = () => root.querySelector("audio");

function toggle() {
  const sound = audio();
  if (!sound) return;
  if (!sound.paused) sound.pause();
  else {
    if (sound.ended) sound.currentTime = 0;
    sound.play().catch(() => {});
  }
}

function seek(seconds) {
  const sound = audio();
  if (sound) sound.currentTime = Math.max(0, sound.currentTime + seconds);
}

function isTyping(target) {
  return target.matches("input:not([type=checkbox]), textarea, select") || target.isContentEditable;
}

const OTHERS = {
  " ": toggle,
  ArrowLeft: () => seek(-1),
  ArrowRight: () => seek(1),
  r: () => root.querySelector("[data-reason]")?.focus(),
};

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.repeat) return;
  if (event.target.closest?.("dialog, [role=dialog]")) return;
  if (isTyping(event.target)) {
    if (event.key === "Escape") event.target.blur();
    return;
  }
  const button = root.querySelector(`[data-key="${CSS.escape(event.key.toLowerCase())}"]`);
  const act = button ? () => isBusy || button.disabled || button.click() : OTHERS[event.key];
  if (!act) return;
  event.preventDefault();
  act();
});

root.addEventListener("click", (event) => {
  const picture = event.target.closest("[data-seek]");
  const sound = audio();
  if (!picture || !sound?.duration) return;
  const place = picture.getBoundingClientRect();
  sound.currentTime = ((event.clientX - place.left) / place.width) * sound.duration;
});

function follow() {
  const sound = audio();
  const head = root.querySelector("[data-head]");
  if (sound?.duration && head) head.style.left = `${(100 * sound.currentTime) / sound.duration}%`;
  requestAnimationFrame(follow);
}
requestAnimationFrame(follow);

root.addEventListener("htmx:beforeRequest", (event) => {
  // Two quick presses of a key are one decision.
  if (isBusy) event.preventDefault();
  isBusy = true;
  away.hidden = true;
});
root.addEventListener("htmx:afterRequest", (event) => {
  isBusy = false;
  away.hidden = event.detail.successful;
});
root.addEventListener("htmx:afterSwap", () => {
  audio()?.play().catch(() => {});
  document.getElementById("main")?.scrollIntoView({ block: "start" });
});
