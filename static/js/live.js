// Plays samples while they still arrive: each piece is scheduled on the audio clock behind the one before.

const LEAD_SECONDS = 0.02;

export class LiveAudio {
  // The context opens before the rate is known; another rate is resampled by the browser.
  constructor(usualSampleRate) {
    this.context = new AudioContext({ sampleRate: usualSampleRate });
    this.duration = 0;
    this.startsAt = null;
    this.complete = false;
  }

  push(samples, sampleRate) {
    if (!samples.length) return;
    const buffer = this.context.createBuffer(1, samples.length, sampleRate);
    const channel = buffer.getChannelData(0);
    for (let i = 0; i < samples.length; i += 1) channel[i] = samples[i] / 32768;
    const soon = this.context.currentTime + LEAD_SECONDS;
    this.startsAt ??= soon;
    // Audio that comes too late pushes the rest back; nothing is dropped.
    const gap = soon - (this.startsAt + this.duration);
    if (gap > 0 && this.duration > 0) this.startsAt += gap;
    const source = new AudioBufferSourceNode(this.context, { buffer });
    source.connect(this.context.destination);
    source.start(this.startsAt + this.duration);
    this.duration += buffer.duration;
  }

  get position() {
    if (this.startsAt === null) return 0;
    return Math.min(Math.max(this.context.currentTime - this.startsAt, 0), this.duration);
  }

  get paused() {
    return this.context.state !== "running";
  }

  get ended() {
    return this.complete && this.position >= this.duration;
  }

  play() {
    return this.context.resume();
  }

  pause() {
    return this.context.suspend();
  }

  close() {
    if (this.context.state !== "closed") this.context.close();
  }
}
