// What Svix's npm package and that of Standard Webhooks say of requests that were received.
// usage: node webhooks.mjs FILE, which holds [{"secret", "headers", "body"}]; what they say is JSON on standard output.

import { readFile } from "node:fs/promises";
import { Webhook as Standard } from "standardwebhooks";
import { Webhook as Svix } from "svix";

const [file] = process.argv.slice(2);
const received = JSON.parse(await readFile(file, "utf8"));

function says(Webhook, { secret, headers, body }) {
  try {
    return new Webhook(secret).verify(body, headers).type;
  } catch (error) {
    return error.constructor.name;
  }
}

const said = received.map((one) => ({ standardwebhooks: says(Standard, one), svix: says(Svix, one) }));
console.log(JSON.stringify(said));
