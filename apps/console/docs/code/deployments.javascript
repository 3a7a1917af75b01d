const headers = { "X-API-Key": "YOUR_API_KEY", "Content-Type": "application/json" };
const made = await fetch("BASE_URL/api/deployments", {
  method: "POST",
  headers,
  body: JSON.stringify({ name: "narrator", engine: "AN_ENGINE", gpu: "a6000-48gb", min_replicas: 0, max_replicas: 2 }),
});
if (!made.ok) throw new Error(await made.text());
// Ask again until its state is ready, or failed: then error says why.
const { id } = await made.json();
const told = await (await fetch(`BASE_URL/api/deployments/${id}`, { headers })).json();
console.log(told.name, told.state, told.error, told.cost.month_to_date_usd);
