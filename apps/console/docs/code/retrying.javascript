import { randomUUID } from "node:crypto";
import { writeFile } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";

async function speak(text, tries = 5) {
  // One key for all tries: whatever happened to the first, the text is made and charged once.
  const headers = {
    "X-API-Key": "YOUR_API_KEY",
    "Content-Type": "application/json",
    "Idempotency-Key": randomUUID(),
  };
  for (let attempt = 0; ; attempt += 1) {
    const response = await fetch("BASE_URL/generate", {
      method: "POST",
      headers,
      body: JSON.stringify({ text, format: "mp3" }),
    });
    if (response.ok) return Buffer.from(await response.arrayBuffer());
    const { error } = await response.json();
    const passes = [429, 502, 503].includes(response.status) && response.headers.get("x-should-retry") !== "false";
    if (!passes || attempt + 1 === tries) throw new Error(`${error.code}: ${error.message} (${error.request_id})`);
    await sleep(1000 * Number(response.headers.get("Retry-After") ?? 2 ** attempt));
  }
}

await writeFile("speech.mp3", await speak("Said once, whatever happens."));
