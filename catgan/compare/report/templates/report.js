"use strict";
(function () {
  const read = (id) => JSON.parse(document.getElementById(id).textContent);
  const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

  /* The charts, in the page's own colours, light or dark. */
  const plots = typeof Plotly === "undefined" ? [] : [...document.querySelectorAll(".plot")];
  const specs = read("specs");
  let cursor = null;
  const line = () => ({
    type: "line", x0: cursor, x1: cursor, yref: "paper", y0: 0, y1: 1,
    line: { color: colour("--ink"), width: 1.5 },
  });
  const dressed = (layout) => {
    const axis = { gridcolor: colour("--grid"), zerolinecolor: colour("--grid"), linecolor: colour("--line"), fixedrange: true };
    return Object.assign({}, layout, {
      paper_bgcolor: "rgba(0,0,0,0)",
      plot_bgcolor: "rgba(0,0,0,0)",
      font: { color: colour("--ink"), size: 12, family: "system-ui, sans-serif" },
      hoverlabel: { bgcolor: colour("--card"), font: { color: colour("--ink") } },
      xaxis: Object.assign({}, axis, layout.xaxis),
      yaxis: Object.assign({}, axis, layout.yaxis),
      shapes: cursor === null ? layout.shapes : [...layout.shapes, line()],
    });
  };
  const draw = () => {
    for (const plot of plots) {
      const spec = specs[plot.dataset.chart];
      Plotly.react(plot, spec.data, dressed(spec.layout), { displayModeBar: false, responsive: true });
    }
  };
  let waiting = 0;
  const moveLines = () => {
    if (waiting) return;
    waiting = requestAnimationFrame(() => {
      waiting = 0;
      for (const plot of plots) {
        const at = "shapes[" + specs[plot.dataset.chart].layout.shapes.length + "]";
        Plotly.relayout(plot, { [at + ".x0"]: cursor, [at + ".x1"]: cursor });
      }
    });
  };

  /* One slider for all: the sample grids, the figures, and an upright line in every chart. */
  const slider = document.getElementById("epoch");
  if (slider) {
    const epochs = read("epochs");
    const frames = read("frames");
    const told = read("told");
    const shown = document.getElementById("epoch-shown");
    const play = document.getElementById("play");
    const lastUpTo = (list, epoch) => {
      let found = 0;
      list.forEach((value, index) => { if (value <= epoch) found = index; });
      return found;
    };
    const figure = (key, value) => {
      if (typeof value === "string") return value;
      if (key === "recognised") return (100 * value).toFixed(value > 0 && value < 0.1 ? 1 : 0) + "%";
      return value.toFixed(key === "kid" ? 3 : 2);
    };
    /* What was written down at an epoch; what is measured now and then, with the epoch it is of. */
    const tell = (columns, list) => {
      const index = lastUpTo(columns.epoch, epochs[Number(slider.value)]);
      for (const cell of list.querySelectorAll("dd")) {
        const column = columns[cell.dataset.key];
        const rare = ["kid", "recognised", "balance"].includes(cell.dataset.key);
        let at = index;
        while (rare && at >= 0 && column[at] === null) at -= 1;
        const value = at < 0 ? null : column[at];
        const late = at >= 0 && at !== index && cell.dataset.key !== "balance" ? " (epoch " + columns.epoch[at] + ")" : "";
        cell.textContent = value === null ? "–" : figure(cell.dataset.key, value);
        if (late) {
          const aside = document.createElement("span");
          aside.className = "late";
          aside.textContent = late;
          cell.append(aside);
        }
        if (cell.dataset.key === "balance")
          cell.classList.toggle("lost", at >= 0 && columns.lost[at] === true);
      }
    };
    const show = () => {
      const epoch = epochs[Number(slider.value)];
      shown.textContent = "epoch " + epoch;
      slider.setAttribute("aria-valuetext", "epoch " + epoch);
      frames.forEach((list, index) => {
        const image = document.getElementById("frame-" + index);
        if (!image || !list.length) return;
        const frame = list[lastUpTo(list.map((one) => one.epoch), epoch)];
        if (image.getAttribute("src") !== frame.src) image.src = frame.src;
        image.alt = "Sample grid of " + image.dataset.arm + " after epoch " + frame.epoch;
        document.getElementById("frame-epoch-" + index).textContent = "epoch " + frame.epoch;
      });
      told.forEach((columns, index) => {
        const list = document.getElementById("told-" + index);
        if (list && columns.epoch.length) tell(columns, list);
      });
      cursor = epoch;
      moveLines();
    };
    const go = (epoch) => { slider.value = lastUpTo(epochs, epoch); show(); };
    /* Play goes from one sample grid to the next. */
    const stops = [...new Set(frames.flat().map((frame) => frame.epoch))].sort((a, b) => a - b);
    let timer = 0;
    const stop = () => { clearInterval(timer); timer = 0; play.textContent = "Play"; };
    const next = () => stops.find((epoch) => epoch > epochs[Number(slider.value)]);
    play.addEventListener("click", () => {
      if (timer) { stop(); return; }
      if (next() === undefined) go(stops.length ? stops[0] : epochs[0]);
      play.textContent = "Stop";
      timer = setInterval(() => {
        const epoch = next();
        if (epoch === undefined) { stop(); return; }
        go(epoch);
      }, 400);
    });
    slider.addEventListener("input", () => { if (timer) stop(); show(); });
    for (const mark of document.querySelectorAll(".mark"))
      mark.addEventListener("click", () => { if (timer) stop(); go(Number(mark.dataset.epoch)); });
    for (const hidden of document.querySelectorAll(".slider, .js, .told")) hidden.hidden = false;
    cursor = epochs[Number(slider.value)];
    draw();
    for (const plot of plots)
      plot.on("plotly_click", (event) => { if (timer) stop(); go(event.points[0].x); });
    show();
  } else {
    draw();
  }
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", draw);
})();
