// WAV as it arrives: 16-bit mono PCM, read from any chunking; sizes in a streamed header mean nothing.

const HEADER_BYTES = 44;

function ascii(view, at) {
  return String.fromCharCode(view.getUint8(at), view.getUint8(at + 1), view.getUint8(at + 2), view.getUint8(at + 3));
}

function join(left, right) {
  const whole = new Uint8Array(left.length + right.length);
  whole.set(left);
  whole.set(right, left.length);
  return whole;
}

export class WavReader {
  constructor() {
    this.waiting = new Uint8Array();
    this.sampleRate = null;
    this.inData = false;
  }

  // Bytes in, the samples they complete out.
  push(bytes) {
    this.waiting = join(this.waiting, bytes);
    if (!this.inData && !this.readHeader()) return new Int16Array();
    const whole = this.waiting.length - (this.waiting.length % 2);
    const samples = new Int16Array(this.waiting.slice(0, whole).buffer);
    this.waiting = this.waiting.slice(whole);
    return samples;
  }

  readHeader() {
    const view = new DataView(this.waiting.buffer, this.waiting.byteOffset, this.waiting.length);
    if (view.byteLength < 12) return false;
    if (ascii(view, 0) !== "RIFF" || ascii(view, 8) !== "WAVE") throw new Error("The answer is not a WAV file.");
    for (let at = 12; at + 8 <= view.byteLength; ) {
      const name = ascii(view, at);
      if (name === "data") {
        this.waiting = this.waiting.slice(at + 8);
        this.inData = true;
        return true;
      }
      const size = view.getUint32(at + 4, true);
      if (at + 8 + size > view.byteLength) return false;
      if (name === "fmt ") this.readFormat(view, at + 8);
      at += 8 + size + (size % 2);
    }
    return false;
  }

  readFormat(view, at) {
    const [encoding, channels, bits] = [0, 2, 14].map((offset) => view.getUint16(at + offset, true));
    if (encoding !== 1 || channels !== 1 || bits !== 16) throw new Error("The answer is not 16-bit mono PCM.");
    this.sampleRate = view.getUint32(at + 4, true);
  }
}

// A whole clip with true sizes, so that an <audio> element knows how long it is.
export function wavBlob(sampleRate, pieces) {
  const bytes = pieces.reduce((sum, piece) => sum + piece.byteLength, 0);
  const view = new DataView(new ArrayBuffer(HEADER_BYTES));
  const write = (at, text) => [...text].forEach((letter, i) => view.setUint8(at + i, letter.charCodeAt(0)));
  write(0, "RIFF");
  view.setUint32(4, HEADER_BYTES - 8 + bytes, true);
  write(8, "WAVEfmt ");
  view.setUint32(16, 16, true);
  view.setUint16(20, 1, true);
  view.setUint16(22, 1, true);
  view.setUint32(24, sampleRate, true);
  view.setUint32(28, sampleRate * 2, true);
  view.setUint16(32, 2, true);
  view.setUint16(34, 16, true);
  write(36, "data");
  view.setUint32(40, bytes, true);
  return new Blob([view, ...pieces], { type: "audio/wav" });
}
