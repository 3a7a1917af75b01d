// Outside the recorder: recordings that are still in this browser are sent from here, too.

import { Takes } from "./takes.js";
import { Uploads, standing } from "./uploads.js";

const place = document.querySelector("[data-waiting]");

async function begin() {
  const takes = await Takes.open(place.dataset.waiting);
  if (!(await takes.all()).some((take) => take.state === "queued")) return;
  const uploads = new Uploads(place.dataset.url, takes);
  let sent = 0;
  uploads.addEventListener("sent", () => {
    sent += 1;
  });
  uploads.addEventListener("change", () => {
    const words = standing(uploads.status);
    place.hidden = !words;
    place.querySelector("p").textContent = words;
    if (sent && !uploads.status.waiting) location.reload();
  });
  uploads.wake();
}

begin();
