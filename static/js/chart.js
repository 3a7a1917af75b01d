// A chart reads out the column under the pointer, or the one reached with the arrow keys.

class Chart {
  constructor(figure) {
    this.plot = figure.querySelector("[data-plot]");
    this.readout = figure.querySelector("[data-readout]");
    this.columns = [...figure.querySelectorAll("[data-says]")];
    this.columns.forEach((column, index) => column.addEventListener("pointerenter", () => this.show(index)));
    this.plot.addEventListener("pointerleave", () => this.show(null));
    this.plot.addEventListener("blur", () => this.show(null));
    this.plot.addEventListener("keydown", (event) => this.onKey(event));
  }

  show(index) {
    this.columns[this.index]?.classList.remove("current");
    this.index = index;
    const column = this.columns[index];
    column?.classList.add("current");
    this.readout.textContent = column ? column.dataset.says : this.readout.dataset.idle;
  }

  onKey(event) {
    const last = this.columns.length - 1;
    const from = this.index ?? last + 1;
    const target = { ArrowLeft: from - 1, ArrowRight: from + 1, Home: 0, End: last }[event.key];
    if (target === undefined) return;
    event.preventDefault();
    this.show(Math.min(Math.max(target, 0), last));
  }
}

export function bindChart() {
  for (const figure of document.querySelectorAll("[data-chart]")) new Chart(figure);
}
