// The playground: sends the text, plays the answer while it arrives, and says how long each part took.

import { Player } from "./player.js";
import { bindSamples } from "./samples.js";
import { WavReader } from "./wav.js";

const LOST = "The connection ended before the speech was whole. Nothing of it is offered as a clip.";

class SpeechError extends Error {
  constructor(message, requestId) {
    super(message);
    this.requestId = requestId;
  }
}

async function refusal(response) {
  const requestId = response.headers.get("X-Request-Id");
  const body = await response.json().catch(() => null);
  const message = body?.error?.message ?? `The server answered ${response.status}.`;
  return new SpeechError(message, body?.error?.request_id ?? requestId);
}

function spoken(milliseconds) {
  return milliseconds < 1000 ? `${Math.round(milliseconds)}\u202fms` : `${(milliseconds / 1000).toFixed(1)}\u202fs`;
}

class Playground {
  constructor(form) {
    this.form = form;
    this.text = form.elements.text;
    this.player = new Player(document.querySelector("[data-player]"));
    this.errorBox = document.querySelector("[data-error]");
    this.generateButton = form.querySelector("[data-generate]");
    this.stopButton = form.querySelector("[data-stop]");
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.generate();
    });
    form.addEventListener("input", () => this.showInput());
    form.elements.model.addEventListener("change", () => this.showVoices());
    this.stopButton.addEventListener("click", () => this.stop());
    document.addEventListener("keydown", (event) => {
      if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) form.requestSubmit();
    });
    this.showVoices();
    this.showInput();
  }

  // ---- asking

  get wanted() {
    const { text, voice, model, speed } = this.form.elements;
    return { text: text.value, voice: voice.value, model: model.value, speed: Number(speed.value) };
  }

  async generate() {
    if (this.generateButton.disabled) return;
    const abort = (this.abort = new AbortController());
    this.showError(null);
    this.showTimes({});
    this.showBusy(true);
    this.player.open();
    try {
      await this.receive(abort.signal);
    } catch (error) {
      if (this.abort === abort && !abort.signal.aborted) this.fail(error);
    } finally {
      this.showBusy(false);
      this.text.focus();
    }
  }

  stop() {
    this.abort.abort();
    this.player.reset();
  }

  async receive(signal) {
    const asked = performance.now();
    const response = await fetch(this.form.action, {
      method: "POST",
      headers: { "Content-Type": "application/json", "X-CSRFToken": this.form.elements.csrfmiddlewaretoken.value },
      body: JSON.stringify({ ...this.wanted, stream: true }),
      signal,
    });
    if (!response.ok) throw await refusal(response);
    this.requestId = response.headers.get("X-Request-Id");
    const times = {};
    const wav = new WavReader();
    for (let reader = response.body.getReader(), part; !(part = await reader.read()).done; ) {
      const samples = wav.push(part.value);
      if (!samples.length) continue;
      times.first ??= performance.now() - asked;
      this.player.push(samples, wav.sampleRate);
      times.audio = this.player.duration * 1000;
      this.showTimes(times);
    }
    if (!times.audio) throw new SpeechError("The answer held no audio.", this.requestId);
    this.player.finish(wav.sampleRate);
    this.showTimes({ ...times, total: performance.now() - asked });
  }

  fail(error) {
    if (this.player.duration) this.player.cut();
    else this.player.reset();
    const isOurs = error instanceof SpeechError;
    this.showError(isOurs ? error.message : LOST, isOurs ? error.requestId : this.requestId);
  }

  // ---- showing

  showBusy(busy) {
    this.isBusy = busy;
    this.stopButton.hidden = !busy;
    this.generateButton.hidden = busy;
    this.showInput();
  }

  showInput() {
    const { limit } = this.text.dataset;
    const count = [...this.text.value].length;
    const counter = document.querySelector("[data-count]");
    counter.textContent = `${count.toLocaleString("en").replaceAll(",", "\u202f")}`;
    counter.parentElement.classList.toggle("count-over", count > Number(limit));
    this.generateButton.disabled = !this.text.value.trim() || count > Number(limit);
    this.form.elements.speedShown.textContent = `${this.wanted.speed.toFixed(2)}×`;
    document.dispatchEvent(new CustomEvent("samplechange", { detail: this.wanted }));
  }

  // Each model has its own voices.
  showVoices() {
    const { voice, model } = this.form.elements;
    for (const option of voice.options) option.hidden = option.disabled = option.dataset.model !== model.value;
    if (voice.selectedOptions[0]?.disabled ?? true) {
      voice.selectedIndex = [...voice.options].findIndex((option) => !option.disabled);
    }
  }

  showTimes({ first, total, audio }) {
    const write = (name, value) => {
      document.querySelector(`[data-time-of=${name}]`).textContent = value;
    };
    write("first", first === undefined ? "–" : spoken(first));
    write("total", total === undefined ? "–" : spoken(total));
    write("audio", audio === undefined ? "–" : spoken(audio));
    write("pace", total === undefined ? "–" : `${(audio / total).toFixed(audio / total < 10 ? 1 : 0)}×`);
  }

  showError(message, requestId) {
    this.errorBox.hidden = !message;
    if (!message) return;
    this.errorBox.querySelector("[data-error-message]").textContent = message;
    this.errorBox.querySelector("[data-error-request]").textContent = requestId ? `Request ${requestId}` : "";
  }
}

bindSamples();
const form = document.querySelector("[data-playground]");
if (form) new Playground(form);
