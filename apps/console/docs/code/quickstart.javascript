import { writeFile } from "node:fs/promises";

const response = await fetch("BASE_URL/generate", {
  method: "POST",
  headers: { "X-API-Key": "YOUR_API_KEY", "Content-Type": "application/json" },
  body: JSON.stringify({ text: "Hello! This is my first request.", format: "mp3" }),
});
if (!response.ok) throw new Error(await response.text());
await writeFile("speech.mp3", Buffer.from(await response.arrayBuffer()));
