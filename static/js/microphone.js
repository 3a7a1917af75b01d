// The microphone: opened by capability, listened to for its level, recorded as the browser can.
// Events: "samples" (detail: Float32Array), "lost" (it was unplugged, or taken away).

const TYPES = [
  "audio/webm;codecs=opus",
  "audio/ogg;codecs=opus",
  "audio/mp4;codecs=mp4a.40.2",
  "audio/mp4",
  "audio/webm",
];
const BITS_PER_SECOND = 128_000;
// Words are cut off where a recording ends with the press of a button.
export const TAIL_MS = 500;

const WORDS = {
  NotAllowedError:
    "The microphone is blocked for this page. Allow it beside the address of the page, or in the settings of your system, then try again.",
  NotFoundError: "No microphone was found. Connect one, then try again.",
  OverconstrainedError: "This microphone is not there any more. Choose another one.",
  NotReadableError: "The microphone cannot be opened: another program may be using it. Close that, then try again.",
  AbortError: "The microphone cannot be opened: another program may be using it. Close that, then try again.",
};

// In words, what this browser lacks; empty where it has all that is needed.
export function missing() {
  if (!isSecureContext) return "Browsers open a microphone on https addresses only, and this page has another one.";
  if (!navigator.mediaDevices?.getUserMedia) return "This browser cannot open a microphone. Update it, or use another one.";
  if (!window.MediaRecorder || !window.AudioWorkletNode) return "This browser cannot record. Update it, or use another one.";
  return "";
}

export function wordsFor(error) {
  return WORDS[error.name === "SecurityError" ? "NotAllowedError" : error.name] ?? `The microphone cannot be opened: ${error.message || error.name}.`;
}

export function typeToRecord() {
  return TYPES.find((type) => MediaRecorder.isTypeSupported(type)) ?? "";
}

export function decibels(share) {
  return 20 * Math.log10(Math.max(share, 1e-5));
}

export function loudness(samples) {
  let [sum, peak] = [0, 0];
  for (const sample of samples) {
    sum += sample * sample;
    peak = Math.max(peak, Math.abs(sample));
  }
  return { rms: Math.sqrt(sum / samples.length), peak };
}

export class Microphone extends EventTarget {
  constructor(tapUrl) {
    super();
    this.tapUrl = tapUrl;
    this.recorder = null;
  }

  // To be called by the press of a button: browsers let nothing sound or listen before.
  async open(deviceId = "") {
    this.close();
    // Before anything is waited for, while the press still counts.
    this.context = new AudioContext();
    // As it is: what a browser does to help a call, such as raising the level, spoils a data set.
    const wanted = { echoCancellation: false, noiseSuppression: false, autoGainControl: false, channelCount: 1 };
    if (deviceId) wanted.deviceId = { exact: deviceId };
    this.stream = await navigator.mediaDevices.getUserMedia({ audio: wanted });
    await this.context.audioWorklet.addModule(this.tapUrl);
    await this.context.resume();
    const tap = new AudioWorkletNode(this.context, "tap", { numberOfInputs: 1, numberOfOutputs: 1 });
    tap.port.onmessage = ({ data }) => this.onSamples(data);
    this.source = this.context.createMediaStreamSource(this.stream);
    // It writes nothing: what is not on the way to the speakers is not always run.
    this.source.connect(tap).connect(this.context.destination);
    this.stream.getAudioTracks()[0].addEventListener("ended", () => this.dispatchEvent(new Event("lost")));
  }

  close() {
    this.stream?.getTracks().forEach((track) => track.stop());
    if (this.context && this.context.state !== "closed") this.context.close();
    this.stream = this.context = null;
  }

  get isOpen() {
    return Boolean(this.stream?.active);
  }

  get isRecording() {
    return this.recorder !== null;
  }

  get sampleRate() {
    return this.context.sampleRate;
  }

  get deviceId() {
    return this.stream?.getAudioTracks()[0]?.getSettings().deviceId ?? "";
  }

  onSamples(samples) {
    if (this.isCounting) this.counted += samples.length;
    this.dispatchEvent(new CustomEvent("samples", { detail: samples }));
  }

  async start() {
    await this.context.resume();
    const type = typeToRecord();
    const options = { audioBitsPerSecond: BITS_PER_SECOND, ...(type && { mimeType: type }) };
    const recorder = new MediaRecorder(this.stream, options);
    const pieces = [];
    this.counted = 0;
    this.recorder = recorder;
    recorder.ondataavailable = ({ data }) => data.size && pieces.push(data);
    recorder.onstart = () => {
      this.isCounting = true;
    };
    this.whole = new Promise((resolve) => {
      recorder.onstop = () => {
        this.isCounting = false;
        this.recorder = null;
        resolve({
          blob: new Blob(pieces, { type: recorder.mimeType }),
          // Counted, for the file itself does not say how long it is.
          durationMs: Math.max(1, Math.round((this.counted / this.sampleRate) * 1000)),
        });
      };
    });
    recorder.start();
  }

  // What was recorded, with half a second after now.
  async stop() {
    const { recorder } = this;
    await new Promise((resolve) => setTimeout(resolve, TAIL_MS));
    if (recorder?.state === "recording") recorder.stop();
    return this.whole;
  }
}

// Those there are, with names once one was opened.
export async function microphones() {
  const devices = await navigator.mediaDevices.enumerateDevices().catch(() => []);
  return devices.filter((device) => device.kind === "audioinput" && device.deviceId);
}
