const headers = { "X-API-Key": "YOUR_API_KEY", "Content-Type": "application/json" };
const made = await fetch("BASE_URL/api/webhooks", {
  method: "POST",
  headers,
  body: JSON.stringify({ url: "https://example.com/webhooks", events: ["job.*", "deployment.failed"] }),
});
if (!made.ok) throw new Error(await made.text());
const endpoint = await made.json();
console.log("Keep this, it is not shown again:", endpoint.secret);
// The example of a kind of event, marked as a test.
const sent = await fetch(`BASE_URL/api/webhooks/${endpoint.id}/test`, {
  method: "POST",
  headers,
  body: JSON.stringify({ type: "job.completed" }),
});
if (!sent.ok) throw new Error(await sent.text());
const { type, state } = await sent.json();
console.log(type, state);
