// A set of sentences, and what has become of each: open, draft, queued, refused, sent, skipped.

import { call } from "./api.js";

const WORDS = { open: "Open", draft: "Not sent", queued: "Waiting", refused: "Not taken", skipped: "Skipped" };
const TONES = { draft: "accent", queued: "blue", refused: "red", uploaded: "blue", checking: "blue", accepted: "green", in_review: "amber", rejected: "red" };
const SOON_MS = 1500;
const LATER_MS = 15_000;

export class Slots extends EventTarget {
  constructor(list, template, urls) {
    super();
    this.list = list;
    this.template = template;
    this.urls = urls;
    this.all = [];
    this.current = 0;
    this.look();
  }

  fill(slots) {
    this.all = slots;
    this.list.replaceChildren(...slots.map((slot, i) => this.rowOf(slot, i)));
    this.select(Math.max(0, this.nextOpen(0)));
  }

  get selected() {
    return this.all[this.current];
  }

  get isDone() {
    return this.all.every((slot) => slot.state !== "open" && slot.state !== "draft");
  }

  // The first from there on, around, that something is to be done with; -1 where there is none.
  nextOpen(from) {
    const order = this.all.map((_, i) => (from + i) % this.all.length);
    return order.find((i) => ["open", "draft"].includes(this.all[i].state)) ?? -1;
  }

  // Whether a recording of it may be made now: one that is sent stands until it was rejected.
  mayRecord(slot) {
    return slot.state !== "queued" && (slot.state !== "sent" || slot.clip.state === "rejected" || slot.clip.state === "withdrawn");
  }

  of(promptId) {
    return this.all.find((slot) => slot.prompt.id === promptId);
  }

  select(i) {
    this.current = i;
    this.show();
    this.dispatchEvent(new Event("select"));
  }

  rowOf(slot, i) {
    const row = this.template.content.firstElementChild.cloneNode(true);
    row.querySelector(".slot-number").textContent = String(i + 1);
    row.querySelector(".slot-sentence").textContent = slot.prompt.text;
    row.querySelector(".slot-pick").addEventListener("click", () => this.select(i));
    for (const name of ["again", "retry"]) {
      row.querySelector(`[data-${name}]`).addEventListener("click", () => {
        this.select(i);
        this.dispatchEvent(new CustomEvent(name, { detail: slot }));
      });
    }
    return row;
  }

  show() {
    this.all.forEach((slot, i) => this.showRow(this.list.children[i], slot, i));
  }

  showRow(row, slot, i) {
    const state = slot.state === "sent" ? slot.clip.state : slot.state;
    row.toggleAttribute("data-current", i === this.current);
    row.querySelector(".slot-pick").setAttribute("aria-current", String(i === this.current));
    const badge = row.querySelector(".badge");
    const words = slot.state === "sent" ? slot.clip.state_words : WORDS[slot.state];
    const tone = TONES[state] ? `badge badge-${TONES[state]}` : "badge";
    if (badge.textContent !== words) badge.textContent = words;
    badge.className = tone;
    const reason = row.querySelector(".slot-words");
    reason.textContent = this.reasonOf(slot);
    reason.hidden = !reason.textContent;
    const isOver = state === "rejected" || state === "refused";
    row.querySelector(".slot-actions").hidden = !isOver && slot.state !== "sent";
    row.querySelector("[data-again]").hidden = !isOver;
    row.querySelector("[data-retry]").hidden = slot.state !== "refused";
    const look = row.querySelector("[data-look]");
    look.hidden = slot.state !== "sent" || ["uploaded", "checking"].includes(state);
    if (!look.hidden) look.href = `${this.urls.pages}/${slot.clip.id}`;
  }

  reasonOf(slot) {
    if (slot.state === "refused") return slot.take.words;
    if (slot.state !== "sent") return "";
    const cents = slot.clip.earned_cents;
    if (slot.clip.state === "accepted" && cents !== null) return `$${(cents / 100).toFixed(2)} for ${(slot.clip.speech_ms / 1000).toFixed(1)} s of speech.`;
    return slot.clip.reason;
  }

  // Asks what has become of those that are sent, soon while they are checked, now and then while people listen.
  async look() {
    for (;;) {
      const sent = this.all.filter((slot) => slot.state === "sent");
      const isChecked = sent.some((slot) => ["uploaded", "checking"].includes(slot.clip.state));
      await new Promise((resolve) => {
        this.hurry = resolve;
        setTimeout(resolve, isChecked ? SOON_MS : LATER_MS);
      });
      if (!document.hidden) await this.ask();
    }
  }

  async ask() {
    const changing = this.all.filter((slot) => slot.state === "sent" && ["uploaded", "checking", "in_review"].includes(slot.clip.state));
    if (!changing.length) return;
    const ids = changing.map((slot) => slot.clip.id).join(",");
    const found = await call("GET", `${this.urls.clips}?ids=${ids}`).catch(() => null);
    for (const clip of found?.results ?? []) {
      const slot = changing.find((one) => one.clip.id === clip.id);
      if (slot.state !== "sent" || slot.clip.state === clip.state) continue;
      slot.clip = clip;
      this.dispatchEvent(new CustomEvent("verdict", { detail: slot }));
    }
    this.show();
  }
}
