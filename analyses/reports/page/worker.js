// The thread that trains: it is told to start, to pause and to go on, and tells how far it is.
"use strict";

const CHUNK = 60; // milliseconds of training between two looks at what it was told
const SHOWN = 4; // how many circles are shown
const [LOOK, READY] = [100, 0.99]; // steps between two verdicts, once so much of what is held out is right

// Numbers in [0, 1) from a seed (mulberry32), and normal ones from two of them.
function randomFrom(seed) {
  let state = (seed + 1) * 0x9e3779b9;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

// What a seed starts from: interp/networks/initialisation.py, with draws of another generator.
function initialised(config, random) {
  const normal = () => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
  const parameters = zeros(config);
  for (const [name, x] of Object.entries(parameters)) {
    if (name === B_IN || name === B_OUT) continue;
    const scale = 1 / Math.sqrt(name === U ? config.p + 1 : config.d_model);
    for (let i = 0; i < x.length; i++) x[i] = scale * normal();
  }
  return parameters;
}

function splitOf(p, fraction, random) {
  const pairs = Array.from({ length: p * p }, (_, index) => index);
  for (let i = pairs.length - 1; i > 0; i--) {
    const j = Math.floor(random() * (i + 1));
    [pairs[i], pairs[j]] = [pairs[j], pairs[i]];
  }
  const batch = (those) => {
    const [a, b] = [those.map((i) => Math.floor(i / p)), those.map((i) => i % p)];
    return { a, b, labels: a.map((x, i) => (x + b[i]) % p) };
  };
  const count = Math.floor(fraction * pairs.length);
  return { train: batch(pairs.slice(0, count)), test: batch(pairs.slice(count)) };
}

let run = null;

function started({ recipe, seed }) {
  const { n_heads, d_head, d_model, d_mlp } = recipe.network;
  const config = { p: recipe.p, n_heads, d_head, d_model, d_mlp };
  const random = randomFrom(seed);
  const parameters = initialised(config, random);
  return {
    config, recipe, parameters, memory: { mean: zeros(config), square: zeros(config) },
    data: splitOf(recipe.p, recipe.train_fraction, random), step: 0, milliseconds: 0, isPaused: false,
  };
}

function record({ config, recipe, parameters, data, step, milliseconds }) {
  const { p } = config;
  const on = onAllPairs(config, parameters);
  const { a, b, labels } = data.test;
  const o = p + 1;
  const held = new Float64Array(labels.length * o);
  labels.forEach((_, i) => held.set(on.logits.subarray((a[i] * p + b[i]) * o, (a[i] * p + b[i] + 1) * o), i * o));
  const terms = clockTerms(byDistance(on.logits, p), p);
  const strongest = frequenciesOf(p).sort((j, k) => terms[k - 1] - terms[j - 1]).slice(0, SHOWN).sort((j, k) => j - k);
  const circles = strongest.map((k) => ({ k, term: terms[k - 1], points: circleOf(parameters, k, config) }));
  const train = lossOf(forward(config, parameters, data.train.a, data.train.b).logits, data.train.labels, o);
  const [test, isLast] = [lossOf(held, labels, o), step >= recipe.steps];
  const isReady = isLast || (step % LOOK === 0 && test.accuracy >= READY);
  postMessage({ step, milliseconds, train, test, circles, isLast, verdict: isReady ? verdictOf(config, parameters) : null });
}

function go(mine) {
  if (mine !== run || mine.isPaused) return;
  const begin = performance.now();
  do {
    if (mine.step % mine.recipe.record_every === 0) record(mine);
    if (mine.step >= mine.recipe.steps) return;
    const before = performance.now();
    trainingStep(mine.config, mine.recipe, mine.parameters, mine.memory, mine.data.train, mine.step);
    mine.step += 1;
    mine.milliseconds += performance.now() - before;
  } while (performance.now() - begin < CHUNK);
  setTimeout(() => go(mine));
}

globalThis.onmessage = ({ data }) => {
  if (data.start) run = started(data.start);
  if (run) run.isPaused = Boolean(data.pause);
  if (run && !data.pause) go(run);
  if (run && data.pause) postMessage({ verdict: verdictOf(run.config, run.parameters), step: run.step, isPaused: true });
};
