// Clips to hear: each is fetched once it is asked for.

import { Player } from "./player.js";

for (const root of document.querySelectorAll("[data-player][data-src]")) new Player(root);
