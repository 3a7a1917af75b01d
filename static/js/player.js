// The player: first the live stream, then the whole clip in an <audio> element, under the same buttons.
// One with a source of its own fetches that clip when it is to be heard for the first time; a long one is streamed
// by the browser, and its waveform stays level.

import { LiveAudio } from "./live.js";
import { Waveform } from "./waveform.js";
import { wavBlob } from "./wav.js";

const STEP_SECONDS = 1;
const USUAL_SAMPLE_RATE = 24_000;

export function clock(seconds) {
  if (seconds >= 3600) {
    const minutes = String(Math.floor(seconds / 60) % 60).padStart(2, "0");
    return `${Math.floor(seconds / 3600)}:${minutes}:${String(Math.floor(seconds) % 60).padStart(2, "0")}`;
  }
  const tenths = Math.floor(seconds * 10);
  return `${Math.floor(tenths / 600)}:${String(Math.floor(tenths / 10) % 60).padStart(2, "0")}.${tenths % 10}`;
}

function asIntegers(samples) {
  return Int16Array.from(samples, (sample) => Math.max(-1, Math.min(1, sample)) * 32767);
}

export class Player {
  // The one that was played last: it alone is heard, and takes the keys.
  static current = null;

  constructor(root) {
    this.root = root;
    this.source = root.dataset.src ?? null;
    this.button = root.querySelector("[data-play]");
    this.slider = root.querySelector("[data-wave]");
    this.time = root.querySelector("[data-time]");
    this.link = root.querySelector("[data-download]");
    this.audio = root.querySelector("[data-clip]");
    this.wave = new Waveform(this.slider);
    this.live = null;
    this.button.addEventListener("click", () => this.toggle());
    this.slider.addEventListener("pointerdown", (event) => this.onPointer(event));
    this.slider.addEventListener("pointermove", (event) => event.buttons && this.onPointer(event));
    for (const name of ["play", "pause", "ended", "seeked", "loadedmetadata"]) {
      this.audio.addEventListener(name, () => this.show());
    }
    document.addEventListener("keydown", (event) => this.onKey(event));
    if (root.dataset.stream) this.stream();
    this.show();
  }

  // ---- sources

  reset() {
    this.live?.close();
    this.live = null;
    this.pieces = [];
    this.audio.pause();
    if (this.audio.src) URL.revokeObjectURL(this.audio.src);
    this.audio.removeAttribute("src");
    this.link.removeAttribute("href");
    this.link.setAttribute("aria-disabled", "true");
    this.wave.clear();
    this.show();
  }

  // Opened within the reader's own gesture, so that the browser lets it sound.
  open() {
    this.reset();
    Player.current = this;
    this.live = new LiveAudio(USUAL_SAMPLE_RATE);
  }

  push(samples, sampleRate) {
    this.pieces.push(samples);
    this.live.push(samples, sampleRate);
    this.wave.push(samples, sampleRate);
    this.animate();
  }

  // The stream broke: what came is heard to its end, and is not offered as a clip.
  cut() {
    this.live.complete = true;
    this.animate();
  }

  finish(sampleRate) {
    this.live.complete = true;
    const url = URL.createObjectURL(wavBlob(sampleRate, this.pieces));
    this.audio.src = url;
    this.link.href = url;
    this.link.download = this.root.dataset.filename;
    this.link.removeAttribute("aria-disabled");
    this.animate();
  }

  stream() {
    this.audio.preload = "metadata";
    this.audio.src = this.source;
    this.source = null;
  }

  async fetchClip() {
    this.isFetching = true;
    this.show();
    try {
      const response = await fetch(this.source);
      if (!response.ok) throw new Error(`answered ${response.status}`);
      const clip = await response.blob();
      this.audio.src = URL.createObjectURL(clip);
      this.source = null;
      const decoder = new OfflineAudioContext(1, 1, USUAL_SAMPLE_RATE);
      const decoded = await decoder.decodeAudioData(await clip.arrayBuffer());
      this.wave.push(asIntegers(decoded.getChannelData(0)), decoded.sampleRate);
      await this.audio.play();
    } finally {
      this.isFetching = false;
      this.animate();
    }
  }

  // ---- what the reader does

  get hasClip() {
    return this.audio.hasAttribute("src");
  }

  get isPlaying() {
    return this.live ? !this.live.paused && !this.live.ended : this.hasClip && !this.audio.paused;
  }

  get position() {
    if (this.live) return this.live.position;
    return this.hasClip ? this.audio.currentTime : 0;
  }

  get duration() {
    if (this.live) return this.live.duration;
    return (this.hasClip && this.audio.duration) || 0;
  }

  toggle() {
    if (this.isPlaying) this.pause();
    else this.play();
  }

  play() {
    if (Player.current !== this) Player.current?.pause();
    Player.current = this;
    if (this.source) return void (this.isFetching || this.fetchClip());
    if (this.live) this.live.play();
    else if (this.hasClip) this.audio.play();
    this.animate();
  }

  pause() {
    if (this.live) this.live.pause();
    else this.audio.pause();
    this.show();
  }

  seek(seconds) {
    if (!this.hasClip) return;
    const wasPlaying = this.isPlaying;
    this.useClip();
    this.audio.currentTime = Math.min(Math.max(seconds, 0), this.audio.duration || 0);
    if (wasPlaying) this.audio.play();
    this.show();
  }

  useClip() {
    this.live?.close();
    this.live = null;
  }

  onPointer(event) {
    const box = this.slider.getBoundingClientRect();
    this.seek(((event.clientX - box.left) / box.width) * this.duration);
  }

  onKey(event) {
    if (Player.current !== this) return;
    const busy = event.target.closest("input, textarea, select, button, a, summary, dialog, [role=tab], pre");
    if (busy || event.metaKey || event.ctrlKey || event.altKey || !this.duration) return;
    if (event.key === " ") this.toggle();
    else if (event.key === "ArrowRight") this.seek(this.position + STEP_SECONDS);
    else if (event.key === "ArrowLeft") this.seek(this.position - STEP_SECONDS);
    else return;
    event.preventDefault();
  }

  // ---- what the reader sees

  animate() {
    this.show();
    cancelAnimationFrame(this.frame);
    if (this.live?.ended && this.hasClip) this.useClip();
    if (this.live || this.isPlaying) this.frame = requestAnimationFrame(() => this.animate());
  }

  show() {
    const { position, duration } = this;
    this.root.classList.toggle("playing", this.isPlaying);
    this.button.disabled = this.isFetching || !(duration || this.source);
    this.button.setAttribute("aria-label", this.isPlaying ? "Pause" : "Play");
    this.time.textContent = duration ? `${clock(position)} / ${clock(duration)}` : this.source ? "–" : clock(0);
    this.slider.setAttribute("aria-disabled", String(!this.hasClip));
    this.slider.setAttribute("aria-valuemax", duration.toFixed(1));
    this.slider.setAttribute("aria-valuenow", position.toFixed(1));
    this.slider.setAttribute("aria-valuetext", duration ? `${clock(position)} of ${clock(duration)}` : "No audio yet");
    this.wave.setProgress(duration ? position / duration : 0);
  }
}
