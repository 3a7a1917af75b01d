import { writeFile } from "node:fs/promises";
import OpenAI from "openai";

const client = new OpenAI({ baseURL: "BASE_URL/v1", apiKey: "YOUR_API_KEY" });
const speech = await client.audio.speech.create({
  model: "gpt-4o-mini-tts",
  voice: "alloy",
  input: "The rest of your code stays as it is.",
  response_format: "wav",
});
await writeFile("speech.wav", Buffer.from(await speech.arrayBuffer()));
