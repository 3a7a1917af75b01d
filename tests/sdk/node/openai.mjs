// OpenAI's npm client against a running platform. One scenario a run; what it found is JSON on standard output.
// usage: BASE_URL=… API_KEY=… TRACE=… node openai.mjs SCENARIO [FOLDER]

import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import OpenAI from "openai";

const client = new OpenAI({ baseURL: process.env.BASE_URL, apiKey: process.env.API_KEY });
const traced = { headers: { "X-Request-Id": process.env.TRACE } };
const hello = { model: "tts-1", voice: "alloy", input: "Hello there." };
const tones = { model: "tone", voice: "tone", input: "A tone of some length. ".repeat(12), response_format: "pcm" };

/** Every format, each in a file of its name; answers their content types. */
async function formats(folder) {
  const types = {};
  for (const format of ["mp3", "opus", "aac", "flac", "wav", "pcm"]) {
    const response = await client.audio.speech.create({ ...hello, response_format: format });
    types[format] = response.headers.get("content-type");
    await writeFile(join(folder, format), Buffer.from(await response.arrayBuffer()));
  }
  return types;
}

/** When the first and the last bytes came, in ms, and how many. */
async function stream() {
  const started = performance.now();
  const response = await client.audio.speech.create(tones);
  let [first_ms, bytes] = [null, 0];
  for await (const chunk of response.body) {
    first_ms ??= performance.now() - started;
    bytes += chunk.length;
  }
  return { first_ms, last_ms: performance.now() - started, bytes };
}

/** The events as they came, audio as its length. */
async function sse() {
  const response = await client.audio.speech.create({ ...hello, response_format: "pcm", stream_format: "sse" });
  const events = (await response.text()).split("\n\n").filter(Boolean);
  return events
    .map((event) => JSON.parse(event.replace(/^data: /, "")))
    .map(({ audio, ...rest }) => (audio ? { ...rest, bytes: Buffer.from(audio, "base64").length } : rest));
}

async function models() {
  const all = [];
  for await (const model of client.models.list()) all.push(model.id);
  return { all, one: await client.models.retrieve("tts-1") };
}

/** A voice as an object, a parameter of an engine beside OpenAI's own, and what no server knows. */
async function extras() {
  const spoken = async (seed) => {
    const body = { ...hello, voice: { id: "heart" }, response_format: "pcm", seed, temperature: 0.7, unheard_of: {} };
    return Buffer.from(await (await client.audio.speech.create(body)).arrayBuffer()).toString("base64");
  };
  return (await spoken(7)) === (await spoken(7));
}

/** What the client makes of a refusal. */
async function refused(request) {
  try {
    await request();
  } catch (error) {
    const { status, type, code, param, requestID } = error;
    return { name: error.constructor.name, status, type, code, param, requestID };
  }
  return null;
}

async function errors() {
  const speak = (body, options) => () => client.audio.speech.create({ ...hello, ...body }, { ...traced, ...options });
  const stranger = client.withOptions({ apiKey: "sk-nonsense" });
  return [
    await refused(speak({ speed: 9 })),
    await refused(() => stranger.audio.speech.create(hello, traced)),
    await refused(speak({ model: "gpt-5" })),
    await refused(speak({ input: "👋👋" })),
    await refused(() => client.models.retrieve("gpt-5", traced)),
  ];
}

/** One call that is refused however often the client asks. */
async function refusal() {
  return refused(() => client.audio.speech.create(hello, traced));
}

/** Reads until the stream breaks; tells how many bytes came before it did. */
async function cut() {
  const response = await client.audio.speech.create({ ...tones, input: tones.input.repeat(8) }, traced);
  let bytes = 0;
  try {
    for await (const chunk of response.body) {
      if (bytes === 0) process.stderr.write("speaking\n");
      bytes += chunk.length;
    }
  } catch (error) {
    return { broke: true, bytes, error: String(error) };
  }
  return { broke: false, bytes };
}

const scenarios = { formats, stream, sse, models, extras, errors, refusal, cut };
const [name, ...rest] = process.argv.slice(2);
console.log(JSON.stringify(await scenarios[name](...rest)));
