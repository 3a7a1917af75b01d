// Draws loudness as bars: what was played in the accent, the rest quiet.

const BUCKET_SECONDS = 0.01;
const BAR = 3;
const GAP = 2;
const QUIET = 0.04;

export class Waveform {
  constructor(canvas) {
    this.canvas = canvas;
    this.clear();
    new ResizeObserver(() => this.draw()).observe(canvas);
    document.addEventListener("themechange", () => this.draw());
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.draw());
  }

  clear() {
    this.peaks = [];
    this.filled = 0;
    this.progress = 0;
    this.draw();
  }

  push(samples, sampleRate) {
    const bucket = Math.round(sampleRate * BUCKET_SECONDS);
    for (const sample of samples) {
      if (this.filled % bucket === 0) this.peaks.push(0);
      const last = this.peaks.length - 1;
      this.peaks[last] = Math.max(this.peaks[last], Math.abs(sample) / 32768);
      this.filled += 1;
    }
    this.draw();
  }

  setProgress(share) {
    this.progress = share;
    this.draw();
  }

  // One height a bar, 0 to 1, against the loudest.
  heights(count) {
    if (!this.peaks.length) return new Array(count).fill(QUIET);
    const loudest = Math.max(...this.peaks, QUIET);
    return Array.from({ length: count }, (_, i) => {
      const from = Math.floor((i * this.peaks.length) / count);
      const to = Math.max(from + 1, Math.floor(((i + 1) * this.peaks.length) / count));
      const slice = this.peaks.slice(from, to);
      return Math.max(slice.reduce((sum, peak) => sum + peak, 0) / slice.length / loudest, QUIET);
    });
  }

  draw() {
    const { clientWidth: width, clientHeight: height } = this.canvas;
    if (!width) return;
    const scale = devicePixelRatio;
    this.canvas.width = width * scale;
    this.canvas.height = height * scale;
    const brush = this.canvas.getContext("2d");
    brush.scale(scale, scale);
    const style = getComputedStyle(this.canvas);
    const [played, ahead] = [style.color, style.accentColor];
    const count = Math.max(1, Math.floor((width + GAP) / (BAR + GAP)));
    this.heights(count).forEach((share, i) => {
      const x = i * (BAR + GAP);
      const tall = Math.max(share * height, BAR);
      brush.fillStyle = (i + 0.5) / count <= this.progress ? played : ahead;
      brush.beginPath();
      brush.roundRect(x, (height - tall) / 2, BAR, tall, BAR / 2);
      brush.fill();
    });
  }
}
