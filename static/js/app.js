// Every page of the console: small behaviours, each bound to a data attribute.

import { bindChart } from "./chart.js";
import { bindCopy } from "./copy.js";
import { bindDialogs } from "./dialog.js";
import { bindForms } from "./forms.js";
import { bindMenus } from "./menu.js";
import { bindBanners, bindToasts } from "./notices.js";
import { bindPalette } from "./palette.js";
import { bindTabs } from "./tabs.js";
import { bindTheme } from "./theme.js";
import { bindTimes } from "./time.js";

bindTheme();
bindTimes();
bindMenus();
bindDialogs();
bindPalette();
bindCopy();
bindTabs();
bindForms();
bindBanners();
bindToasts();
bindChart();
