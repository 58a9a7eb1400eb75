// What pages can do better with script: live parts and charts, keyboard shortcuts, a menu that
// folds. Nothing here makes HTML: what is put into the page was rendered, and escaped, by the
// server.
"use strict";

(() => {
  const root = document.documentElement;
  root.classList.add("js");
  const byId = (id) => document.getElementById(id);

  // --- the menu folds on a narrow screen ---
  const menu = document.querySelector(".menu");
  const narrow = matchMedia("(max-width: 46rem)");
  const fold = () => { if (menu) menu.open = !narrow.matches; };
  narrow.addEventListener("change", fold);
  fold();

  // --- keyboard: g and a letter go to a page ---
  const STORED = "sluice-keys";
  const dialog = byId("keys"), button = byId("keys-button"), toggle = byId("keys-on");
  const isOn = () => localStorage.getItem(STORED) !== "off";
  let went = 0;
  const show = () => dialog.showModal();
  if (dialog && button && toggle) {
    button.hidden = false;
    button.addEventListener("click", show);
    toggle.checked = isOn();
    toggle.addEventListener("change", () => localStorage.setItem(STORED, toggle.checked ? "on" : "off"));
  }
  const search = () => {
    const field = byId("search");
    if (field) field.focus(); else location.assign("/events");
  };
  // A dialog that was just closed has the focus until the browser draws again.
  const isTyping = (target) => {
    const box = target.closest("dialog");
    return box ? box.open : Boolean(target.closest("input, select, textarea"));
  };
  document.addEventListener("keydown", (event) => {
    const typing = isTyping(event.target);
    if (!dialog || !isOn() || typing || event.ctrlKey || event.metaKey || event.altKey) return;
    if (Date.now() - went < 1500) {
      went = 0;
      const link = document.querySelector(`[data-key="${CSS.escape(event.key)}"]`);
      if (link) { event.preventDefault(); link.click(); }
      return;
    }
    if (event.key === "g") went = Date.now();
    else if (event.key === "/") { event.preventDefault(); search(); }
    else if (event.key === "?") show();
    else if (event.key === "r") location.reload();
  });

  // --- what changes by itself can be stopped ---
  const REFRESH_MS = 5000;
  let paused = false;
  const pauser = byId("pause");
  if (pauser) {
    pauser.hidden = false;
    pauser.addEventListener("click", () => {
      paused = !paused;
      pauser.setAttribute("aria-pressed", paused);
    });
    setInterval(() => {
      if (paused || document.hidden || typeof htmx === "undefined") return;
      document.querySelectorAll("[data-refresh]").forEach((part) => {
        if (!part.contains(document.activeElement)) htmx.trigger(part, "refresh");
      });
    }, REFRESH_MS);
  }

  // --- the overview, live ---
  const live = byId("live");
  if (live) watch(live, charts());

  function watch(live, draw) {
    const source = new EventSource(live.dataset.stream || "/live");
    const say = (state, text) => {
      live.className = `live ${state}`;
      live.replaceChildren(text);
    };
    source.addEventListener("look", (event) => {
      if (paused) return;
      const told = JSON.parse(event.data);
      for (const [name, html] of Object.entries(told.parts)) put(`part-${name}`, html);
      if (told.chart) draw(told.chart);
      say("on", "live");
    });
    // What does not change sends nothing, and is watched all the same.
    source.addEventListener("open", () => {
      say("on", "live");
    });
    source.addEventListener("over", () => {
      source.close();
      location.reload();
    });
    source.addEventListener("error", () => {
      say("off", "not live: trying again");
    });
    addEventListener("pagehide", () => source.close());
  }

  // The focus stays on what it is on, if that is still there.
  // What did not change is left alone, and what somebody types into it.
  const puts = {};
  function put(id, html) {
    const part = byId(id), focused = document.activeElement;
    if (!part || puts[id] === html) return;
    puts[id] = html;
    const kept = part.contains(focused) ? focused.id : "";
    part.innerHTML = html;
    if (kept && byId(kept)) byId(kept).focus({ preventScroll: true });
  }

  function charts() {
    const data = byId("chart-data"), place = byId("charts");
    if (!data || !place || typeof uPlot === "undefined") return () => {};
    const color = (name) => getComputedStyle(root).getPropertyValue(name).trim();
    const made = [];
    const make = (id, series) => {
      const parent = byId(id);
      const axis = { stroke: () => color("--soft"), grid: { stroke: () => color("--line"), width: 1 }, ticks: { stroke: () => color("--line") } };
      const options = {
        width: parent.clientWidth, height: 190, cursor: { y: false },
        tzDate: (seconds) => uPlot.tzDate(new Date(seconds * 1e3), "Etc/UTC"),
        scales: { y: { range: (_u, _min, max) => [0, Math.max(1, max * 1.05)] } },
        axes: [{ ...axis, space: 70, values: "{HH}:{mm}" }, { ...axis, size: 62 }],
        series: [{ label: "time", value: "{HH}:{mm}:{ss}" }, ...series.map(([label, name]) => ({ label, stroke: () => color(name), width: 2, points: { show: false } }))],
      };
      const chart = new uPlot(options, [[]], parent);
      new ResizeObserver(() => {
        if (parent.clientWidth !== chart.width) chart.setSize({ width: parent.clientWidth, height: 190 });
      }).observe(parent);
      made.push(chart);
      return chart;
    };
    let rate, backlog;
    const draw = (told) => {
      if (told.at.length < 2) return;
      if (!rate) {
        place.hidden = false;
        rate = make("chart-rate", [["received", "--series-1"], ["settled", "--series-2"]]);
        backlog = make("chart-backlog", [["in flight", "--series-3"]]);
      }
      rate.setData([told.at, told.received, told.done]);
      backlog.setData([told.at, told.backlog]);
    };
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => made.forEach((chart) => chart.redraw()));
    draw(JSON.parse(data.textContent));
    return draw;
  }
})();
