// Sends takes one after the other, each under its own id until the server has confirmed it, however long that takes.
// Events: "change" (look at `status`), "sent" (detail: { take, clip }), "refused" (detail: take).

import { csrfToken, errorOf } from "./api.js";

const FIRST_WAIT_MS = 1000;
const LONGEST_WAIT_MS = 60_000;
// What time, or the person, can mend: the take stays where it is and is sent again.
const PASSING = new Set(["too_many_clips", "consent_required", "not_signed_in", "csrf_failed"]);

function isPassing(error) {
  return error.status === 0 || error.status === 401 || error.status === 408 || error.status === 429 || error.status >= 500 || PASSING.has(error.code);
}

function post(url, form, onProgress) {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open("POST", url);
    request.responseType = "json";
    request.timeout = 120_000;
    request.setRequestHeader("X-CSRFToken", csrfToken());
    request.upload.onprogress = (event) => event.lengthComputable && onProgress(event.loaded / event.total);
    request.onload = () => (request.status < 300 ? resolve(request.response) : reject(errorOf(request.status, request.response)));
    request.onerror = request.ontimeout = () => reject(errorOf(0, null));
    request.send(form);
  });
}

export class Uploads extends EventTarget {
  constructor(url, takes) {
    super();
    this.url = url;
    this.takes = takes;
    this.status = { waiting: 0, share: 0, words: "", sending: null };
    this.isRunning = false;
    for (const name of ["online", "focus"]) addEventListener(name, () => this.wake());
    addEventListener("offline", () => this.tell({ words: "" }));
    document.addEventListener("visibilitychange", () => document.hidden || this.wake());
  }

  // Begins at once, also where a failed one is waited for.
  async wake() {
    this.isCalled = true;
    this.endWait?.();
    if (this.isRunning) return;
    this.isRunning = true;
    try {
      // One that was put there while the last look was taken is not left behind.
      while (this.isCalled) await this.run();
    } finally {
      this.isRunning = false;
      this.tell({ words: "", sending: null });
    }
  }

  async run() {
    this.isCalled = false;
    let wait = FIRST_WAIT_MS;
    for (let take = await this.next(); take; take = await this.next()) {
      const error = await this.send(take);
      if (!error) {
        wait = FIRST_WAIT_MS;
      } else if (isPassing(error)) {
        this.tell({ words: error.status === 0 ? "" : error.message, sending: null });
        await this.pause(wait);
        wait = Math.min(wait * 2, LONGEST_WAIT_MS);
      } else {
        await this.takes.put({ ...take, state: "refused", words: error.message });
        this.dispatchEvent(new CustomEvent("refused", { detail: { ...take, state: "refused", words: error.message } }));
      }
    }
  }

  // The oldest that is to be sent.
  async next() {
    const queued = (await this.takes.all()).filter((take) => take.state === "queued");
    this.tell({ waiting: queued.length });
    return queued[0];
  }

  // What went wrong; nothing where the server has it now.
  async send(take) {
    const form = new FormData();
    form.append("upload_id", take.uploadId);
    form.append("prompt_id", take.promptId);
    form.append("duration_ms", String(take.durationMs));
    form.append("recording", new Blob([take.bytes], { type: take.type }), "take");
    this.tell({ sending: take, share: 0, words: "" });
    try {
      const clip = await post(this.url, form, (share) => this.tell({ share }));
      await this.takes.remove(take.uploadId);
      this.dispatchEvent(new CustomEvent("sent", { detail: { take, clip } }));
      return null;
    } catch (error) {
      return error;
    }
  }

  pause(ms) {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, ms * (0.8 + Math.random() * 0.4));
      this.endWait = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  tell(changes) {
    Object.assign(this.status, changes);
    this.dispatchEvent(new Event("change"));
  }
}

// In words, how it stands; empty where nothing waits.
export function standing({ waiting, words, sending }) {
  if (!waiting) return "";
  const many = waiting === 1 ? "1 recording" : `${waiting} recordings`;
  if (!navigator.onLine) return `You are offline. ${many} kept in this browser, sent once you are back.`;
  if (words) return `${many} kept in this browser. ${words}`;
  return sending ? `Sending ${many}…` : `${many} kept in this browser. The server cannot be reached; trying again.`;
}
