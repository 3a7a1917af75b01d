// The player, given a recording that is already here, or fetched at once; tells when it was heard to its end.

import { Player } from "./player.js";

const DECODED_RATE = 16_000;

function asIntegers(samples) {
  return Int16Array.from(samples, (sample) => Math.max(-1, Math.min(1, sample)) * 32767);
}

export class TakePlayer extends Player {
  constructor(root) {
    super(root);
    this.onHeard = () => {};
    this.audio.addEventListener("ended", () => this.onHeard());
    this.link.hidden = true;
  }

  async fetch(url) {
    this.reset();
    const response = await fetch(url);
    if (!response.ok) throw Object.assign(new Error("The recording cannot be played now."), { status: response.status });
    await this.load(await response.blob());
  }

  async load(blob) {
    this.reset();
    Player.current = this;
    this.audio.src = URL.createObjectURL(blob);
    try {
      const decoded = await new OfflineAudioContext(1, 1, DECODED_RATE).decodeAudioData(await blob.arrayBuffer());
      // A recording of a browser does not say how long it is.
      this.known = decoded.duration;
      this.wave.push(asIntegers(decoded.getChannelData(0)), decoded.sampleRate);
    } catch {
      // It may still be heard: what cannot be decoded whole has no picture.
    }
    this.show();
  }

  reset() {
    this.known = 0;
    super.reset();
  }

  get duration() {
    const told = (this.hasClip && this.audio.duration) || 0;
    return Number.isFinite(told) && told ? told : (this.known ?? 0);
  }

  play() {
    super.play();
    this.root.dispatchEvent(new Event("played"));
  }
}
