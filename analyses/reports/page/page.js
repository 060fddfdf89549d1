// Draws the page's figures, moves the dials with the two sliders, and the circles with theirs.
"use strict";

const TURN = 2 * Math.PI;
const [MOST, LABELS] = [1.45, 1.3]; // half the side of a dial, and where numbers are written, in mean radii
const NARROW = 620; // pixels below which panels are stacked

const asText = (buffer) => new TextDecoder().decode(buffer);

// Figures: drawn when they come into sight, in the look of the theme.

const page = { figures: {}, templates: {}, drawn: new Set() };

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
  await Plotly.react(place, figure.data, fits, options);
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
  for (const place of document.querySelectorAll(".plot")) {
    const height = page.figures[place.dataset.figure].layout.height ?? 450;
    if (!place.classList.contains("dial")) place.style.height = `${height}px`;
    watcher.observe(place);
  }
}

function addScrubber(place, frames) {
  const label = document.createElement("label");
  label.className = "scrub";
  const slider = Object.assign(document.createElement("input"), { type: "range", min: 0, max: frames.length - 1, step: 1 });
  const shown = document.createElement("output");
  label.append("step", slider, shown);
  place.before(label);
  const show = () => {
    const frame = frames[slider.value];
    shown.textContent = frame.name;
    slider.setAttribute("aria-valuetext", `step ${frame.name}`);
    frame.data.forEach(({ type, ...moved }, index) => Object.assign(page.figures[place.dataset.figure].data[index], moved));
    draw(place);
  };
  slider.value = frames.length - 1;
  shown.textContent = frames.at(-1).name;
  slider.addEventListener("input", show);
}

// Adding: what analyses/adding/one_pair.py says of one pair, for the pair that the sliders pick.

const VIEWS = { u2: Uint16Array, f4: Float32Array, i1: Int8Array, u1: Uint8Array };

function partsOf(buffer, layout) {
  const parts = {};
  let offset = 0;
  for (const [name, type, size] of layout) {
    parts[name] = new VIEWS[type](buffer, offset, size);
    offset += parts[name].byteLength;
  }
  return parts;
}

const angleOf = ([x, y]) => Math.atan2(y, x);
const onRim = (angle, length = 1) => [length * Math.cos(angle), length * Math.sin(angle)];

function sliceAt(angle, p) {
  const half = TURN / (4 * p);
  const ends = [angle - half, angle + half, angle + TURN / 2 - half, angle + TURN / 2 + half].map((rim) => onRim(rim, MOST));
  return [[0, 0], ends[0], ends[1], [0, 0], ends[2], ends[3], [0, 0]];
}

// Where every trace of a dial goes, by its role; roles that a dial does not have are left out.
function placesOf(traces, hand, pair, output) {
  const ring = Object.fromEntries(traces.map((trace) => [trace.meta, trace]));
  const pointOf = (role, number) => [ring[role].x[number], ring[role].y[number]];
  const a = pointOf("ring_a", pair.a);
  const b = pointOf("ring_b", pair.b);
  const place = pointOf("ring_answer", pair.answer);
  const mean = [(a[0] + b[0]) / 2, (a[1] + b[1]) / 2];
  return {
    a: [[0, 0], a],
    b: [[0, 0], b],
    chord: [a, b],
    mean: [mean],
    slice: sliceAt(angleOf(mean), pair.p),
    sum: [[0, 0], onRim(angleOf(a) + angleOf(b))],
    output: [[0, 0], output],
    answer: [place],
    labels: [a, b, place].map((point) => onRim(angleOf(point), LABELS)),
  };
}

function moveDial(player, hand, pair, output) {
  const place = player.dials[hand.k];
  const figure = page.figures[place.dataset.figure];
  const places = placesOf(figure.data, hand, pair, output);
  for (const trace of figure.data) {
    const points = places[trace.meta];
    if (points) Object.assign(trace, { x: points.map(([x]) => x), y: points.map(([, y]) => y) });
    if (trace.meta === "labels") trace.text = [String(pair.a), pair.bAs.replace("b", pair.b), String(pair.answer)];
  }
  if (page.drawn.has(place.dataset.figure)) draw(place);
}

function logitsOf(player, index, waves) {
  const { parts, p } = player;
  if (!parts.logits) return waves;
  const step = (parts.high[index] - parts.low[index]) / 255;
  return Array.from({ length: p }, (_, c) => parts.low[index] + step * parts.logits[index * p + c]);
}

function moveLogits(player, index, outputs, answer) {
  const waves = Array.from({ length: player.p }, (_, c) =>
    player.hands.reduce((sum, hand, number) => {
      const angle = (TURN * ((hand.k * player.places[c]) % player.p)) / player.p;
      const [x, y] = outputs[number];
      return sum + hand.largest * (x * Math.cos(angle) + y * Math.sin(angle));
    }, 0),
  );
  const logits = logitsOf(player, index, waves);
  const figure = page.figures[player.logits.dataset.figure];
  const values = { logits, waves };
  for (const trace of figure.data) {
    if (trace.meta === "answer") Object.assign(trace, { x: [answer], y: [logits[answer]] });
    else trace.y = values[trace.meta];
  }
  if (page.drawn.has(player.logits.dataset.figure)) draw(player.logits);
}

function add(player, a, b) {
  const { p, parts } = player;
  const index = a * p + b;
  const answer = parts.answers[index];
  const outputs = player.hands.map((hand) => [0, 1].map((axis) => parts[`hand ${hand.k}`][2 * index + axis] / 127));
  const pair = { p, a, b, answer, bAs: player.b_as };
  player.hands.forEach((hand, number) => moveDial(player, hand, pair, outputs[number]));
  moveLogits(player, index, outputs, answer);
  const right = parts.right[index];
  const verdict = answer === right ? `, ${parts.margins[index].toFixed(1)} nats ahead of the next.` : `. That is wrong: it is ${right}.`;
  const question = player.question.replace("{a}", a).replace("{b}", b);
  player.sum.textContent = `${question}: the network answers ${answer}${verdict}`;
}

async function playerIn(place) {
  const about = JSON.parse(place.dataset.about);
  const dials = [...place.querySelectorAll(".dial")];
  return {
    ...about,
    parts: partsOf(await unpacked(place.dataset.content), about.layout),
    dials: Object.fromEntries(about.hands.map((hand, number) => [hand.k, dials[number]])),
    logits: place.querySelector(`[data-figure="${place.dataset.logits}"]`),
    sum: place.querySelector(".sum"),
  };
}

function startAdding(players) {
  if (!players.length) return;
  const [a, b] = ["a", "b"].map((name) => document.getElementById(name));
  [a.value, b.value] = [players[0].a, players[0].b];
  const show = () => {
    document.getElementById("a-shown").textContent = a.value;
    document.getElementById("b-shown").textContent = b.value;
    for (const player of players) add(player, a.value % player.p, b.value % player.p);
  };
  let waiting = false;
  const soon = () => {
    if (waiting) return;
    waiting = true;
    requestAnimationFrame(() => {
      waiting = false;
      show();
    });
  };
  a.addEventListener("input", soon);
  b.addEventListener("input", soon);
  document.querySelector(".pair").hidden = false;
  show();
}

// Light and dark.

function setTheme(theme) {
  document.documentElement.dataset.theme = theme;
  const button = document.getElementById("theme");
  button.textContent = theme === "dark" ? "Light" : "Dark";
  for (const place of document.querySelectorAll(".plot")) if (page.drawn.has(place.dataset.figure)) draw(place);
}

async function start() {
  const prefersDark = window.matchMedia("(prefers-color-scheme: dark)");
  setTheme(prefersDark.matches ? "dark" : "light");
  const button = document.getElementById("theme");
  button.addEventListener("click", () => setTheme(themeNow() === "dark" ? "light" : "dark"));
  prefersDark.addEventListener("change", (event) => setTheme(event.matches ? "dark" : "light"));
  const [players, data] = await Promise.all([
    Promise.all([...document.querySelectorAll(".player")].map(playerIn)),
    unpacked("packed-data"),
    loadPlotly(), // a second for the browser to read: the rest goes on meanwhile
  ]);
  Object.assign(page, JSON.parse(asText(data)));
  button.hidden = false;
  drawWhenSeen();
  startAdding(players);
  document.documentElement.dataset.ready = "yes";
}

start().catch((error) => {
  const trouble = document.getElementById("trouble");
  trouble.textContent = `The figures cannot be shown (${error.message}): this page needs a browser of 2024 or later. All numbers are in the tables.`;
  trouble.hidden = false;
  console.error(error);
});
