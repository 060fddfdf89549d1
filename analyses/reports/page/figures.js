// Draws the page's figures when they come into sight, in the look of the theme, and moves those of a run through its steps.
"use strict";

const NARROW = 620; // pixels below which panels are stacked

const page = { figures: {}, templates: {}, dark: {}, colours: {}, frequencies: [], round: [], lines: [], quiet: "", drawn: new Set() };
const film = { pace: 120 }; // milliseconds between two steps of a run that plays


function themeNow() {
  return document.documentElement.dataset.theme;
}

function layoutOf(figure, isDial) {
  const layout = { ...figure.layout, template: page.templates[themeNow()], autosize: true };
  if (isDial) {
    delete layout.height; // as high as wide, which the page's style sees to
  } else {
    const margin = { ...(layout.margin ?? {}) };
    margin.t = figure.layout.showlegend === false ? 30 : Math.max(50, (margin.t ?? 90) - 45); // the title is above, as text
    layout.margin = margin;
  }
  delete layout.width;
  return layout;
}

// Two panels beside each other where there is no room for three, and the colours' key below them.
function stacked(layout, width) {
  const count = layout.meta.panels;
  const columns = Math.min(count, 2);
  const rows = Math.ceil(count / columns);
  const narrow = structuredClone(layout);
  for (let index = 0; index < count; index++) {
    const [left, top] = [(index % columns) / columns, 1 - Math.floor(index / columns) / rows];
    const axis = index ? String(index + 1) : "";
    narrow[`xaxis${axis}`].domain = [left + 0.02, left + 1 / columns - 0.04];
    narrow[`yaxis${axis}`].domain = [top - 0.72 / rows, top - 0.1 / rows];
    narrow[`yaxis${axis}`].title = undefined;
    Object.assign(narrow.annotations[index], { x: left + 0.49 / columns, y: top - 0.08 / rows });
  }
  narrow.height = Math.round((width / columns) * rows * 1.45) + 70;
  narrow.margin = { ...narrow.margin, r: 5, l: 30, b: 90 };
  const bar = narrow.coloraxis.colorbar;
  Object.assign(bar, { orientation: "h", y: -60 / narrow.height, yanchor: "top", thickness: 12, title: { ...bar.title, side: "top" } });
  return narrow;
}

async function draw(place) {
  const name = place.dataset.figure;
  const figure = page.figures[name];
  const isDial = place.classList.contains("dial");
  const options = { responsive: true, displaylogo: false, displayModeBar: isDial ? false : "hover" };
  const width = place.clientWidth;
  const layout = layoutOf(figure, isDial);
  const fits = width < NARROW && layout.meta?.panels ? stacked(layout, width) : layout;
  if (!isDial) place.style.height = `${fits.height ?? 450}px`;
  const shades = themeNow() === "dark" ? page.dark : {};
  await Plotly.react(place, inShades(figure.data, shades), inShades(fits, shades), options);
  if (!page.drawn.has(name)) {
    page.drawn.add(name);
    if (figure.frames?.length) addScrubber(place, figure.frames);
  }
}

function drawWhenSeen() {
  const watcher = new IntersectionObserver(
    (entries) => {
      for (const entry of entries) {
        if (entry.isIntersecting) {
          watcher.unobserve(entry.target);
          draw(entry.target);
        }
      }
    },
    { rootMargin: "400px" },
  );
  for (const place of document.querySelectorAll(".plot[data-figure]")) {
    const height = page.figures[place.dataset.figure].layout.height ?? 450;
    if (!place.classList.contains("dial")) place.style.height = `${height}px`;
    watcher.observe(place);
  }
}

// A slider through the steps of a run, and a button that plays them. The address says at which step it stands.

function addScrubber(place, frames) {
  const line = Object.assign(document.createElement("div"), { className: "scrub" });
  const label = document.createElement("label");
  const slider = Object.assign(document.createElement("input"), { type: "range", min: 0, max: frames.length - 1, step: 1 });
  const shown = document.createElement("output");
  const play = Object.assign(document.createElement("button"), { type: "button", textContent: "Play" });
  label.append("step", slider, shown);
  line.append(play, label);
  place.before(line);
  const show = () => {
    const frame = frames[slider.value];
    shown.textContent = frame.name;
    slider.setAttribute("aria-valuetext", `step ${frame.name}`);
    frame.data.forEach(({ type, ...moved }, index) => Object.assign(page.figures[place.dataset.figure].data[index], moved));
    address.say({ step: frame.name });
    return draw(place);
  };
  let timer = 0;
  const stop = () => {
    clearInterval(timer);
    timer = 0;
    play.textContent = "Play";
  };
  play.addEventListener("click", () => {
    if (timer) return stop();
    if (Number(slider.value) === frames.length - 1) slider.value = 0;
    else slider.value = Number(slider.value) + 1;
    show();
    play.textContent = "Pause";
    timer = setInterval(() => {
      slider.value = Number(slider.value) + 1;
      show();
      if (Number(slider.value) === frames.length - 1) stop();
    }, film.pace);
  });
  slider.addEventListener("input", () => {
    stop();
    show();
  });
  const steps = frames.map(({ name }) => Number(name));
  const goTo = (step) => {
    slider.value = Math.max(steps.findLastIndex((each) => each <= step), 0);
    show();
  };
  slider.value = frames.length - 1;
  shown.textContent = frames.at(-1).name;
  address.follow("step", (step) => goTo(Number(step)));
}
