// The recorder: one sentence after the other is recorded, heard, and submitted; nothing is lost on the way.

import { call } from "./api.js";
import { MicCheck, advice, showLevel } from "./mic-check.js";
import { Microphone, loudness } from "./microphone.js";
import { clock } from "./player.js";
import { Slots } from "./slots.js";
import { TakePlayer } from "./take-player.js";
import { Takes } from "./takes.js";
import { showUploads } from "./upload-notice.js";
import { Uploads } from "./uploads.js";
import { Waveform } from "./waveform.js";

const SET_SIZE = 5;
const CLIPPED = 0.99;
const root = document.querySelector("[data-recorder]");
const part = (name) => root.querySelector(`[data-${name}]`);
const { person, campaign, prompts: promptsUrl, clips: clipsUrl, api, pages, first } = root.dataset;
const longestMs = Number(root.dataset.longestSeconds) * 1000 - 1500;
const booth = part("booth");
const [recordButton, submitButton, skipButton] = [part("record"), part("submit"), part("skip")];
const level = booth.querySelector("[data-level]");
const microphone = new Microphone(root.dataset.tap);
const player = new TakePlayer(document.getElementById("take"));
const wave = new Waveform(part("live"));
const slots = new Slots(part("slots"), document.querySelector("template[data-slot]"), { clips: clipsUrl, pages });
const reportDialog = document.getElementById("report-prompt");
const problems = {};
let takes;
let uploads;
// "idle", "starting", "recording", "ending"
let phase = "idle";
let loudest = 0;
let clipped = 0;

// One of the microphone is not forgotten for an answer of the server.
function tell(problem, of = "server") {
  problems[of] = problem;
  const words = problems.microphone || problems.server || "";
  part("problem").hidden = !words;
  part("problem").querySelector("p").textContent = words;
}

const note = (words) => (part("note").textContent = words);

// ---- the set: takes that are still here first, then sentences of the server

async function fillSet({ isFirst = false } = {}) {
  const kept = (await takes.all()).filter((take) => take.campaign === campaign);
  // Those on their way take no place from new ones; after a reload they are shown, too.
  const shown = kept.filter((take) => isFirst || take.state !== "queued").slice(0, SET_SIZE);
  const found = shown.map((take) => ({ prompt: { id: take.promptId, text: take.text }, state: take.state, take }));
  const query = new URLSearchParams({ count: String(SET_SIZE + kept.length), ...(first && { first }) });
  let fresh = [];
  try {
    fresh = await call("GET", `${promptsUrl}?${query}`);
    tell("");
  } catch (error) {
    tell(error.status ? error.message : "The server cannot be reached. Come back when you are online; what you recorded is kept.");
  }
  for (const prompt of fresh) {
    if (found.length < SET_SIZE && !kept.some((take) => take.promptId === prompt.id)) found.push({ prompt, state: "open" });
  }
  slots.fill(found);
  const isEnough = !found.length && !problems.server;
  part("enough").hidden = !isEnough;
  booth.hidden = !found.length || !part("check").hidden;
  if (isEnough) part("check").hidden = true;
}

function showSlot() {
  const slot = slots.selected;
  if (!slot) return;
  part("sentence").textContent = slot.prompt.text;
  part("position").textContent = `Sentence ${slots.current + 1} of ${slots.all.length}`;
  const { take } = slot;
  part("take").hidden = !take;
  part("live").hidden = Boolean(take);
  part("clock").textContent = clock((take?.durationMs ?? 0) / 1000);
  if (take && player.take !== take) player.load(new Blob([take.bytes], { type: take.type }));
  player.take = take;
  if (!take) wave.clear();
  showControls();
}

function showControls() {
  const slot = slots.selected;
  const isIdle = phase === "idle";
  const isRecording = phase === "recording";
  root.dataset.phase = phase;
  recordButton.disabled = !slot || !(isRecording || (isIdle && slots.mayRecord(slot)));
  part("record-words").textContent = isRecording ? "Stop" : phase === "ending" ? "Finishing…" : slot?.take ? "Again" : "Record";
  submitButton.disabled = !isIdle || slot?.state !== "draft";
  skipButton.disabled = !isIdle || slot?.state !== "open";
  part("next").hidden = part("done").hidden = !isIdle || !slots.all.length || !slots.isDone;
}

// ---- recording

async function start() {
  const slot = slots.selected;
  if (phase !== "idle" || !slot || !slots.mayRecord(slot)) return;
  if (!microphone.isOpen) return void backToCheck();
  phase = "starting";
  player.pause();
  part("take").hidden = true;
  part("live").hidden = false;
  wave.clear();
  loudest = clipped = 0;
  try {
    await microphone.start();
  } catch (error) {
    phase = "idle";
    tell(`This browser cannot record: ${error.message}.`, "microphone");
    return void showSlot();
  }
  phase = "recording";
  note("Recording. Read the sentence, then stop.");
  showControls();
}

async function stop() {
  if (phase !== "recording") return;
  phase = "ending";
  showControls();
  const slot = slots.selected;
  const { blob, durationMs } = await microphone.stop();
  const take = {
    uploadId: crypto.randomUUID(),
    campaign,
    promptId: slot.prompt.id,
    text: slot.prompt.text,
    bytes: await blob.arrayBuffer(),
    type: blob.type,
    durationMs,
    state: "draft",
    at: Date.now(),
  };
  await takes.put(take, slot.take?.uploadId);
  Object.assign(slot, { take, state: "draft", clip: null });
  showLasting();
  phase = "idle";
  slots.select(slots.current);
  note(advice({ durationMs, loudest, clippedShare: clipped / microphone.counted }));
  submitButton.focus({ preventScroll: true });
}

function backToCheck() {
  booth.hidden = true;
  part("check").hidden = false;
  part("open-microphone").hidden = false;
  part("open-microphone").focus();
}

function hear({ detail: samples }) {
  if (booth.hidden) return;
  const { peak } = loudness(samples);
  showLevel(level, peak);
  if (phase !== "recording" && phase !== "ending") return;
  loudest = Math.max(loudest, peak);
  if (peak > CLIPPED) for (const sample of samples) clipped += Math.abs(sample) > CLIPPED;
  wave.push(Int16Array.from(samples, (sample) => Math.max(-1, Math.min(1, sample)) * 32767), microphone.sampleRate);
  const lastedMs = (microphone.counted / microphone.sampleRate) * 1000;
  part("clock").textContent = clock(lastedMs / 1000);
  if (phase === "recording" && lastedMs > longestMs) stop();
}

// ---- what follows: submit, skip, report

async function submit() {
  const slot = slots.selected;
  if (phase !== "idle" || slot?.state !== "draft") return;
  slot.take.state = slot.state = "queued";
  await takes.put(slot.take);
  uploads.wake();
  goOn();
}

function goOn() {
  const next = slots.nextOpen(slots.current + 1);
  slots.select(next < 0 ? slots.current : next);
  note(next < 0 ? "The set is done. What is found in each recording shows below." : "");
  if (next >= 0) recordButton.focus({ preventScroll: true });
}

async function leaveOut(reason) {
  const slot = slots.selected;
  if (phase !== "idle" || !slot || !["open", "draft"].includes(slot.state)) return;
  try {
    await call("POST", `${api}prompts/${slot.prompt.id}/reports`, { reason });
  } catch (error) {
    return void tell(error.message);
  }
  if (slot.take) await takes.remove(slot.take.uploadId);
  Object.assign(slot, { state: "skipped", take: null });
  goOn();
}

async function again(slot) {
  if (phase !== "idle" || !slots.mayRecord(slot)) return;
  if (slot.state === "sent") Object.assign(slot, { take: null });
  await start();
}

async function retry({ detail: slot }) {
  slot.take.state = slot.state = "queued";
  await takes.put(slot.take);
  slots.select(slots.current);
  uploads.wake();
}

function onSent({ detail: { take, clip } }) {
  const slot = slots.of(take.promptId);
  if (!slot || slot.take?.uploadId !== take.uploadId) return;
  Object.assign(slot, { state: "sent", clip });
  slots.show();
  slots.hurry?.();
  showControls();
}

function onRefused({ detail: take }) {
  const slot = slots.of(take.promptId);
  if (slot?.take?.uploadId !== take.uploadId) return;
  Object.assign(slot, { state: "refused", take });
  slots.show();
  showControls();
}

function onVerdict({ detail: slot }) {
  if (slot === slots.selected) showControls();
  const place = slots.all.indexOf(slot) + 1;
  note(`Sentence ${place}: ${slot.clip.state_words.toLowerCase()}. ${slot.clip.reason}`);
}

const showLasting = () => (part("not-lasting").hidden = takes.isLasting);

// ---- keys

function onKey(event) {
  if (event.metaKey || event.ctrlKey || event.altKey || event.repeat || booth.hidden || reportDialog.open) return;
  if (event.target.closest("input, textarea, select, [contenteditable]")) return;
  const key = event.key.toLowerCase();
  if (key === "r") phase === "recording" ? stop() : start();
  else if (key === "p") player.toggle();
  else if (key === "s") leaveOut("skipped");
  else if (key === "enter" && !event.target.closest("button, a, summary")) submit();
  else if (key >= "1" && key <= String(slots.all.length) && phase === "idle") pick(Number(key) - 1);
  else return;
  event.preventDefault();
}

// Its number records one again; one that stands already is shown.
function pick(i) {
  slots.select(i);
  again(slots.selected);
}

function bind() {
  recordButton.addEventListener("click", () => (phase === "recording" ? stop() : start()));
  submitButton.addEventListener("click", submit);
  skipButton.addEventListener("click", () => leaveOut("skipped"));
  part("next").addEventListener("click", () => fillSet());
  reportDialog.querySelector("form").addEventListener("submit", (event) => leaveOut(event.target.elements.reason.value));
  slots.addEventListener("select", showSlot);
  slots.addEventListener("again", ({ detail }) => again(detail));
  slots.addEventListener("retry", retry);
  slots.addEventListener("verdict", onVerdict);
  microphone.addEventListener("samples", hear);
  microphone.addEventListener("lost", () => {
    tell("The microphone is gone. Connect it, then turn it on again.", "microphone");
    if (phase === "recording") stop();
    backToCheck();
  });
  uploads.addEventListener("sent", onSent);
  uploads.addEventListener("refused", onRefused);
  document.addEventListener("keydown", onKey);
  addEventListener("beforeunload", (event) => {
    if (phase !== "idle" || (!takes.isLasting && uploads.status.waiting)) event.preventDefault();
  });
}

async function begin() {
  takes = await Takes.open(person);
  uploads = new Uploads(clipsUrl, takes);
  bind();
  showUploads(part("uploads"), uploads);
  showLasting();
  const check = part("check");
  new MicCheck(check, microphone, {
    onProblem: (words) => tell(words, "microphone"),
    onReady: () => {
      check.hidden = true;
      booth.hidden = !slots.all.length;
      slots.select(slots.current);
      recordButton.focus();
    },
  });
  await fillSet({ isFirst: true });
  uploads.wake();
}

begin();
