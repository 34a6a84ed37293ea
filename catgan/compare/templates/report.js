"use strict";
(function () {
  const read = (id) => JSON.parse(document.getElementById(id).textContent);

  /* The sample grids through time: one slider, all runs at the same epoch. */
  const slider = document.getElementById("epoch");
  if (slider) {
    const epochs = read("epochs");
    const frames = read("frames");
    const shown = document.getElementById("epoch-shown");
    const play = document.getElementById("play");
    const at = (list, epoch) => {
      let found = list[0];
      for (const frame of list) if (frame.epoch <= epoch) found = frame;
      return found;
    };
    const show = () => {
      const epoch = epochs[Number(slider.value)];
      shown.textContent = "epoch " + epoch;
      slider.setAttribute("aria-valuetext", "epoch " + epoch);
      frames.forEach((list, index) => {
        const image = document.getElementById("frame-" + index);
        if (!image || !list.length) return;
        const frame = at(list, epoch);
        image.src = frame.src;
        image.alt = "Sample grid of " + image.dataset.arm + " after epoch " + frame.epoch;
        document.getElementById("frame-epoch-" + index).textContent = "epoch " + frame.epoch;
      });
    };
    let timer = 0;
    const stop = () => { clearInterval(timer); timer = 0; play.textContent = "Play"; };
    play.addEventListener("click", () => {
      if (timer) { stop(); return; }
      if (Number(slider.value) === epochs.length - 1) { slider.value = 0; show(); }
      play.textContent = "Stop";
      timer = setInterval(() => {
        if (Number(slider.value) >= epochs.length - 1) { stop(); return; }
        slider.value = Number(slider.value) + 1;
        show();
      }, 400);
    });
    slider.addEventListener("input", () => { if (timer) stop(); show(); });
    slider.closest(".slider").hidden = false;
    show();
  }

  /* The charts, in the page's own colours, light or dark. */
  const plots = [...document.querySelectorAll(".plot")];
  if (!plots.length || typeof Plotly === "undefined") return;
  const specs = read("specs");
  const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  const dressed = (layout) => {
    const axis = { gridcolor: colour("--grid"), zerolinecolor: colour("--grid"), linecolor: colour("--line"), fixedrange: true };
    return Object.assign({}, layout, {
      paper_bgcolor: "rgba(0,0,0,0)",
      plot_bgcolor: "rgba(0,0,0,0)",
      font: { color: colour("--ink"), size: 13, family: "system-ui, sans-serif" },
      hoverlabel: { bgcolor: colour("--card"), font: { color: colour("--ink") } },
      xaxis: Object.assign({}, axis, layout.xaxis),
      yaxis: Object.assign({}, axis, layout.yaxis),
    });
  };
  const draw = () => {
    for (const plot of plots) {
      const spec = specs[plot.dataset.chart];
      Plotly.react(plot, spec.data, dressed(spec.layout), { displayModeBar: false, responsive: true });
    }
  };
  draw();
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", draw);
})();
