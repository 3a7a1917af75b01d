// Before recording: the microphone is opened, the room is listened to, and what is wrong is said in words.

import { decibels, loudness, microphones, missing, wordsFor } from "./microphone.js";

const LISTEN_MS = 2000;
const SETTLING_MS = 400;
const QUIETEST = -60;
const SOME_NOISE = -48;
const MUCH_NOISE = -38;
const SILENT = -75;
const QUIET = -32;
const MUCH_CLIPPED = 0.0005;

export function showLevel(element, share) {
  const level = Math.max(QUIETEST, Math.min(0, decibels(share)));
  element.style.setProperty("--level", String(1 - level / QUIETEST));
  element.dataset.tone = level > -3 ? "red" : level > -12 ? "amber" : "";
  element.setAttribute("aria-valuenow", level.toFixed(0));
  element.setAttribute("aria-valuetext", `${level.toFixed(0)} decibels`);
}

function median(values) {
  return [...values].sort((one, other) => one - other)[Math.floor(values.length / 2)] ?? 0;
}

function verdict(noise) {
  const level = decibels(noise);
  if (level > MUCH_NOISE) return "There is much noise. Close the window, turn off fans and music, or find a quieter place.";
  if (level > SOME_NOISE) return "There is some noise. Recordings may be refused for it: try a quieter place, or move closer.";
  if (level < SILENT) return "The room is quiet. If the bar does not move when you speak, the microphone is muted.";
  return "The room is quiet. Say something: the bar moves.";
}

// What to do about a take that was just made. `loudest` is its peak.
export function advice({ durationMs, loudest, clippedShare }) {
  if (durationMs < 1000) return "That was very short. Listen to it before you submit it.";
  if (clippedShare > MUCH_CLIPPED) return "That was too loud: move a little away from the microphone and record it again.";
  if (decibels(loudest) < QUIET) return "That was quiet: move closer to the microphone and record it again.";
  return "Listen to it, then submit it, or record it again.";
}

export class MicCheck {
  constructor(root, microphone, { onProblem, onReady }) {
    this.root = root;
    this.microphone = microphone;
    this.onProblem = onProblem;
    this.onReady = onReady;
    this.words = root.querySelector("[data-check-words]");
    this.level = root.querySelector("[data-level]");
    this.device = root.querySelector("[data-device]");
    this.opener = root.querySelector("[data-open-microphone]");
    this.beginner = root.querySelector("[data-begin]");
    this.again = root.querySelector("[data-check-again]");
    this.opener.addEventListener("click", () => this.open());
    this.beginner.addEventListener("click", () => this.onReady());
    this.again.addEventListener("click", () => this.listen());
    this.device.querySelector("select").addEventListener("change", (event) => this.open(event.target.value));
    microphone.addEventListener("samples", ({ detail }) => this.hear(detail));
    const lack = missing();
    this.opener.disabled = Boolean(lack);
    if (lack) onProblem(lack);
  }

  async open(deviceId = "") {
    this.opener.disabled = true;
    try {
      await this.microphone.open(deviceId);
    } catch (error) {
      this.microphone.close();
      this.onProblem(wordsFor(error));
      return;
    } finally {
      this.opener.disabled = false;
    }
    this.onProblem("");
    this.opener.hidden = true;
    this.level.hidden = false;
    await this.offerDevices();
    await this.listen();
  }

  async offerDevices() {
    const found = await microphones();
    const select = this.device.querySelector("select");
    select.replaceChildren(
      ...found.map((one, i) => new Option(one.label || `Microphone ${i + 1}`, one.deviceId, false, one.deviceId === this.microphone.deviceId)),
    );
    this.device.hidden = found.length < 2;
  }

  async listen() {
    this.again.hidden = true;
    this.words.textContent = "Be quiet for two seconds…";
    await new Promise((resolve) => setTimeout(resolve, SETTLING_MS));
    this.heard = [];
    await new Promise((resolve) => setTimeout(resolve, LISTEN_MS));
    this.words.textContent = verdict(median(this.heard));
    this.heard = null;
    this.again.hidden = this.beginner.hidden = false;
    if (!this.root.hidden) this.beginner.focus();
  }

  hear(samples) {
    if (this.root.hidden) return;
    const { rms, peak } = loudness(samples);
    this.heard?.push(rms);
    showLevel(this.level, peak);
  }
}
