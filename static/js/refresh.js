// Parts of a page that change while something goes on. An element with an id and [data-refresh=ms] is replaced
// by its like of the same page as it is now, for as long as that asks for it. With [data-refresh-end=reload] the
// page is loaded anew at the end, or once its [data-refresh-state] is another: more of it is different then.

const SLOWEST_MS = 15_000;
const REACHED = "a[href], button, input, select, textarea, summary, [tabindex]";

async function pageNow() {
  const response = await fetch(location.href, { headers: { Accept: "text/html" }, cache: "no-store" });
  // What the page was about is gone: its own words for that are better than ours.
  if (response.status === 404) location.reload();
  if (!response.ok || response.redirected) throw new Error(`answered ${response.status}`);
  return new DOMParser().parseFromString(await response.text(), "text/html");
}

function tellStale(element, lookedAt) {
  const line = element.querySelector("[data-refreshed]");
  if (!line) return;
  const seconds = Math.round((Date.now() - lookedAt) / 1000);
  line.textContent = `No answer for ${seconds} s. Still trying; what goes on is not stopped by that.`;
  line.classList.add("is-stale");
}

function visible() {
  if (!document.hidden) return Promise.resolve();
  return new Promise((resolve) => document.addEventListener("visibilitychange", resolve, { once: true }));
}

function isOver(element, fresh) {
  return !fresh?.dataset.refresh || fresh.dataset.refreshState !== element.dataset.refreshState;
}

// Who goes through it by keyboard stays where they were.
function put(fresh, element) {
  const focused = element.contains(document.activeElement) ? document.activeElement : null;
  const place = focused && [...element.querySelectorAll(REACHED)].indexOf(focused);
  element.replaceWith(fresh);
  if (!focused) return;
  const same = focused.id ? document.getElementById(focused.id) : fresh.querySelectorAll(REACHED)[place];
  same?.focus({ preventScroll: true });
}

async function keepFresh(element) {
  const every = Number(element.dataset.refresh);
  let lookedAt = Date.now();
  let shown = "";
  for (let wait = every; element.dataset.refresh; ) {
    await new Promise((resolve) => setTimeout(resolve, wait));
    await visible();
    try {
      const fresh = (await pageNow()).getElementById(element.id);
      if (element.dataset.refreshEnd === "reload" && isOver(element, fresh)) return void location.reload();
      if (!fresh) return;
      // What is as it was stays, with what is selected in it.
      if (fresh.outerHTML !== shown) {
        shown = fresh.outerHTML;
        put(fresh, element);
        element = fresh;
      }
      lookedAt = Date.now();
      wait = every;
    } catch {
      wait = Math.min(wait * 2, SLOWEST_MS);
      tellStale(element, lookedAt);
      shown = "";
    }
  }
}

for (const element of document.querySelectorAll("[id][data-refresh]")) keepFresh(element);
