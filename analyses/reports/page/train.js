// The panel that trains a network here: a thread does the work, this shows how far it is.
"use strict";

const spoken = (values) => (values.length > 1 ? `${values.slice(0, -1).join(", ")} and ${values.at(-1)}` : `${values[0]}`);

// The verdict in a sentence, as the answer at the page's head has it.
function sentenceOf({ verdict, keys, profiles, accuracy, explained, coordinate }, p) {
  const right = `${Math.round(accuracy * p * p)} of ${p * p} pairs are right`;
  if (verdict === "not generalising") return `Not there yet: ${right}, and no circuit is named below 99%.`;
  const are = (name) => profiles.filter((each) => each.verdict === name).map(({ k }) => k);
  const parts = ["clock", "pizza", "mixture"].filter((name) => are(name).length).map((name) => `a ${name} at ${spoken(are(name))}`);
  const share = `${(100 * explained).toFixed(1)}% of its output`;
  if (verdict === "undecided") return `It computes the sum, ${right}, at ${keys.length ? spoken(keys) : "no frequency"}; the circuit is undecided.`;
  return `Circuit: ${verdict} (${spoken(parts)}; on the way from 0, a clock, to 1, a pizza, it is at ${coordinate.toFixed(2)}). ${right}, and clocks and pizzas account for ${share}.`;
}

const square = { range: [-1.6, 1.6], showticklabels: false, ticks: "", showgrid: false, zeroline: false, constrain: "domain", fixedrange: true };

const KEY_TERM = 0.05; // clock term from which a frequency is key, and has a colour
const given = {}; // frequency → colour: those of the page's networks, then others as they come, by analyses/findings/drawing.py

function colourOf({ k, term }) {
  if (!(k in given) && term < KEY_TERM) return page.quiet;
  const used = Object.values(given);
  const turned = page.frequencies.map((_, turn) => page.frequencies[(k + turn) % page.frequencies.length]);
  return (given[k] ??= turned.find((colour) => !used.includes(colour)) ?? turned[0]);
}

function circleFigure({ k, term, points }, p) {
  const places = points.map((_, n) => ((k * n) % p) / p);
  const dots = {
    x: points.map(([x]) => x), y: points.map(([, y]) => y), text: points.map((_, n) => n), mode: "markers", hoverinfo: "text",
    marker: { color: places, colorscale: page.round, cmin: 0, cmax: 1, size: 8 },
  };
  const first = points.slice(0, 3);
  const walk = {
    x: first.map(([x]) => x), y: first.map(([, y]) => y), mode: "lines+markers+text", hoverinfo: "skip",
    text: ["<b>0</b>", "<b>1</b>", "<b>2</b>"], textposition: "top center",
    line: { color: colourOf({ k, term }), width: 2.5 }, marker: { color: colourOf({ k, term }), size: 10, symbol: "circle-open" },
  };
  const layout = { xaxis: square, yaxis: { ...square, scaleanchor: "x" }, showlegend: false, margin: { l: 5, r: 5, t: 5, b: 5 } };
  return { data: [dots, walk], layout };
}

function lossFigure(records) {
  const steps = records.map(({ step }) => step);
  const curve = (name, values, color, more) => ({ x: steps, y: values, name, mode: "lines", line: { color, width: 2.5 }, ...more });
  const [told, held] = [page.lines[0], page.lines[1]];
  const data = [
    curve("loss on pairs trained on", records.map(({ train }) => train.loss), told),
    curve("loss on held-out pairs", records.map(({ test }) => test.loss), held),
    curve("accuracy on pairs trained on", records.map(({ train }) => train.accuracy), told, { yaxis: "y2", line: { color: told, dash: "dot" } }),
    curve("accuracy on held-out pairs", records.map(({ test }) => test.accuracy), held, { yaxis: "y2", line: { color: held, dash: "dot" } }),
  ];
  const layout = {
    height: 320, margin: { t: 90, r: 60 }, xaxis: { title: { text: "step" } },
    yaxis: { title: { text: "loss (nats)" }, type: "log", exponentformat: "power" },
    yaxis2: { title: { text: "accuracy" }, overlaying: "y", side: "right", range: [-0.03, 1.05], tickvals: [0, 0.5, 1], showgrid: false },
  };
  return { data, layout };
}

function startTraining(about, source) {
  const [form, shown] = [document.getElementById("train-form"), document.getElementById("train-shown")];
  const [start, pause] = [document.getElementById("train-start"), document.getElementById("train-pause")];
  const [status, verdict, dials] = ["train-status", "train-verdict", "train-circles"].map((id) => document.getElementById(id));
  const curves = document.getElementById("train-curves");
  const url = URL.createObjectURL(new Blob([source], { type: "text/javascript" }));
  let [worker, records, recipe] = [null, [], null];

  Object.assign(given, page.colours);
  const show = (place, name, figure) => {
    place.dataset.figure = name;
    page.figures[name] = figure;
    return draw(place);
  };
  const showCircles = (circles) => {
    while (dials.children.length < circles.length) {
      const block = dials.appendChild(document.createElement("div"));
      block.append(document.createElement("h3"), Object.assign(document.createElement("div"), { className: "plot dial" }));
      block.lastChild.setAttribute("role", "img");
    }
    circles.forEach((circle, index) => {
      const [title, place] = dials.children[index].children;
      title.textContent = `k = ${circle.k}, clock term ${circle.term.toFixed(2)}`;
      place.setAttribute("aria-label", `circle of the numbers at k = ${circle.k}`);
      show(place, `train-circle-${index}`, circleFigure(circle, recipe.p));
    });
  };
  const setRunning = (isRunning, isDone) => {
    pause.textContent = isRunning ? "Pause" : "Resume";
    pause.disabled = isDone;
  };
  const hear = ({ data }) => {
    if (data.verdict) verdict.textContent = `Step ${data.step}. ${sentenceOf(data.verdict, recipe.p)}`;
    form.dataset.verdict = data.verdict ? JSON.stringify(data.verdict) : (form.dataset.verdict ?? "");
    if (data.isPaused) return;
    records.push(data);
    const seconds = (data.milliseconds / 1000).toFixed(0);
    const each = data.step ? `, ${(data.milliseconds / data.step).toFixed(1)} ms a step` : "";
    status.textContent = `Step ${data.step} of ${recipe.steps}, ${seconds} s${each}. It is right on ${(100 * data.train.accuracy).toFixed(1)}% of the pairs that it is trained on and on ${(100 * data.test.accuracy).toFixed(1)}% of those held out.`;
    showCircles(data.circles);
    if (!curves.firstChild) curves.append(Object.assign(document.createElement("div"), { className: "plot" }));
    show(curves.firstChild, "train-curves", lossFigure(records));
    if (data.isLast) setRunning(false, true);
  };
  start.addEventListener("click", () => {
    worker?.terminate();
    worker = new Worker(url);
    worker.onmessage = hear;
    worker.onerror = (event) => {
      status.textContent = `Training stopped: ${event.message}`;
    };
    const p = Number(document.getElementById("train-p").value);
    [records, recipe] = [[], { ...about.recipe, ...about.choices[p], p, record_every: about.record_every }];
    verdict.textContent = "";
    form.dataset.verdict = "";
    shown.hidden = false;
    setRunning(true, false);
    start.textContent = "Start again";
    worker.postMessage({ start: { recipe, seed: Number(document.getElementById("train-seed").value) || 0 } });
  });
  pause.addEventListener("click", () => {
    const isRunning = pause.textContent === "Pause";
    worker.postMessage(isRunning ? { pause: true } : { resume: true });
    setRunning(!isRunning, false);
  });
  form.hidden = false;
}
