// How it stands with recordings that are on their way, in words, with how much of the present one is sent.

import { standing } from "./uploads.js";

export function showUploads(place, uploads) {
  const [words, progress] = [place.querySelector("p"), place.querySelector("progress")];
  const show = () => {
    const said = standing(uploads.status);
    place.hidden = !said;
    // A screen reader says it once.
    if (words.textContent !== said) words.textContent = said;
    progress.value = uploads.status.share;
    progress.hidden = !uploads.status.sending;
  };
  uploads.addEventListener("change", show);
  addEventListener("online", show);
}
