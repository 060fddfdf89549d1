// Adding: what analyses/adding/one_pair.py says of one pair, for the pair that the sliders pick.
"use strict";

const TURN = 2 * Math.PI;
const [MOST, LABELS] = [1.45, 1.3]; // half the side of a dial, and where numbers are written, in mean radii

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

// The small dials beside a dial, by the names that analyses/adding/hands.py gives them: angles in turns.
function stepsOf({ a, b, mean, answer }) {
  const turns = (angle) => (((angle / TURN) % 1) + 1) % 1;
  const half = turns(angleOf(mean)) % 0.5;
  return {
    a: turns(angleOf(a)), b: turns(angleOf(b)), added: turns(angleOf(a) + angleOf(b)),
    slice: half, doubled: (2 * half) % 1, answer: turns(angleOf(answer)),
  };
}

function moveSteps(block, steps) {
  for (const small of block.querySelectorAll("[data-step]")) {
    const turns = steps[small.dataset.step];
    small.querySelector("path").setAttribute("transform", `rotate(${-360 * turns})`);
    small.querySelector(".turns").textContent = turns.toFixed(3);
  }
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
  const [a, b] = [places.a[1], places.b[1]];
  moveSteps(place.parentElement, stepsOf({ a, b, mean: places.mean[0], answer: places.answer[0] }));
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

// How many times likelier one answer is than another whose logit is so many nats smaller: analyses/findings/wording.py.
function timesLikelier(margin) {
  const ratio = Math.exp(margin);
  if (ratio > 1e6) return "over a million times likelier";
  const shown = ratio >= 9.95 ? Number(ratio.toPrecision(2)).toLocaleString("en-US") : ratio.toFixed(1);
  return `${shown} times likelier`;
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
  const verdict = answer === right ? `, which it finds ${timesLikelier(parts.margins[index])} than the next answer.` : `. That is wrong: the right answer is ${right}.`;
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
  for (const slider of [a, b]) {
    slider.addEventListener("input", () => {
      address.say({ a: a.value, b: b.value });
      soon();
    });
  }
  document.querySelector(".pair").hidden = false;
  const pick = (slider) => (value) => {
    slider.value = value;
    soon();
  };
  address.follow("a", pick(a));
  address.follow("b", pick(b));
  show();
}

