// What a network computes with: its key frequencies, circles, and clock or pizza, by the definitions of analyses/evidence.
// For odd moduli.
"use strict";

const MODULUS_ANGLE = (k, n, p) => (2 * Math.PI * ((k * n) % p)) / p;
const [KEY, NEAR, FITTED, FEW, ENOUGH_RIGHT, ENOUGH_LOGITS, ENOUGH_NEURONS, MOST_UNDECIDED] = [0.05, 0.25, 0.95, 5, 0.99, 0.5, 0.7, 0.05];

const frequenciesOf = (p) => Array.from({ length: (p - 1) / 2 }, (_, index) => index + 1);

function onAllPairs(config, parameters) {
  const { p } = config;
  const pairs = Array.from({ length: p * p }, (_, index) => index);
  return forward(config, parameters, pairs.map((i) => Math.floor(i / p)), pairs.map((i) => i % p));
}

// The centred logits summed over all pairs with a - b = d and a + b - c = e, [d, e]; their sum of squares; the accuracy.
function byDistance(logits, p) {
  const sums = new Float64Array(p * p);
  let [squares, right] = [0, 0];
  for (let a = 0; a < p; a++)
    for (let b = 0; b < p; b++) {
      const own = logits.subarray((a * p + b) * (p + 1), (a * p + b) * (p + 1) + p);
      const mean = own.reduce((x, y) => x + y, 0) / p;
      const d = ((a - b + p) % p) * p;
      let best = 0;
      for (let c = 0; c < p; c++) {
        if (own[c] > own[best]) best = c;
        squares += (own[c] - mean) ** 2;
        sums[d + ((a + b - c + p) % p)] += own[c] - mean;
      }
      right += best === (a + b) % p;
    }
  return { sums, squares, accuracy: right / (p * p) };
}

// A_k(d): the amplitude of cos w_k(a+b-c) among the pairs with a - b = d.
function amplitudesOf(sums, k, p) {
  return Array.from({ length: p }, (_, d) => {
    let along = 0;
    for (let e = 0; e < p; e++) along += sums[d * p + e] * Math.cos(MODULUS_ANGLE(k, e, p));
    return (2 * along) / (p * p);
  });
}

// t_k: the correlation of the logits with cos w_k(a+b-c), k = 1, 2, ...
function clockTerms({ sums, squares }, p) {
  return frequenciesOf(p).map((k) => {
    const along = amplitudesOf(sums, k, p).reduce((x, y) => x + y, 0) * p * p * 0.5;
    return along / Math.sqrt(squares * p ** 3 * 0.5);
  });
}

// How much of a profile is flat, and how much follows |cos(w_k d/2)|, by least squares.
function mixtureOf(profile, k) {
  const p = profile.length;
  const shape = profile.map((_, d) => Math.abs(Math.cos(MODULUS_ANGLE(k, d, p) / 2)));
  const sum = (values) => values.reduce((x, y) => x + y, 0);
  const [s, ss, y, sy] = [sum(shape), sum(shape.map((x) => x * x)), sum(profile), sum(profile.map((x, d) => x * shape[d]))];
  const pizza = (p * sy - s * y) / (p * ss - s * s);
  const clock = (y - pizza * s) / p;
  const off = sum(profile.map((x, d) => (x - clock - pizza * shape[d]) ** 2));
  return { coordinate: (pizza * s) / p / (clock + (pizza * s) / p), fitted: 1 - off / sum(profile.map((x) => x * x)) };
}

function named(coordinate) {
  if (Math.abs(coordinate) < NEAR) return "clock";
  if (Math.abs(coordinate - 1) < NEAR) return "pizza";
  return coordinate >= NEAR && coordinate <= 1 - NEAR ? "mixture" : "undecided";
}

function judged(profile, k) {
  const p = profile.length;
  const { coordinate, fitted } = mixtureOf(profile, k);
  const divisor = (x, y) => (y ? divisor(y, x % y) : x);
  const name = named(coordinate);
  const isKnown = profile.reduce((x, y) => x + y, 0) > 0 && fitted >= FITTED && (name === "clock" || p / divisor(k, p) > FEW);
  return { coordinate, fitted, verdict: isKnown ? name : "undecided" };
}

// The part of the numbers' vectors along the cosine and the sine of frequency k: [2, d].
function alongWaves(parameters, k, { p, d_model: d }) {
  const part = new Float64Array(2 * d);
  for (let n = 0; n < p; n++) {
    const waves = [Math.cos(MODULUS_ANGLE(k, n, p)), Math.sin(MODULUS_ANGLE(k, n, p))];
    for (let i = 0; i < d; i++) for (const row of [0, 1]) part[row * d + i] += (2 / p) * waves[row] * parameters[E][n * d + i];
  }
  return part;
}

function withoutFrequency(parameters, k, config) {
  const { p, d_model: d } = config;
  const [part, left] = [alongWaves(parameters, k, config), parameters[E].slice()];
  for (let n = 0; n < p; n++)
    for (let i = 0; i < d; i++)
      left[n * d + i] -= Math.cos(MODULUS_ANGLE(k, n, p)) * part[i] + Math.sin(MODULUS_ANGLE(k, n, p)) * part[d + i];
  return { ...parameters, [E]: left };
}

// Where the numbers lie in the plane of frequency k, in units of their mean radius: analyses/adding/circles.py.
function circleOf(parameters, k, config) {
  const { p, d_model: d } = config;
  const part = alongWaves(parameters, k, config);
  const dot = (x, y) => x.reduce((sum, each, i) => sum + each * y[i], 0);
  const [c, s] = [part.subarray(0, d), part.subarray(d)];
  // The orthonormal pair that is closest to the two: (R Rᵀ)^(-1/2) R, the root of a 2 by 2 matrix written out.
  const [cc, cs, ss] = [dot(c, c), dot(c, s), dot(s, s)];
  const root = Math.sqrt(Math.max(cc * ss - cs * cs, 1e-300));
  const scale = root * Math.sqrt(cc + ss + 2 * root);
  const axes = [c.map((x, i) => ((ss + root) * x - cs * s[i]) / scale), s.map((x, i) => ((cc + root) * x - cs * c[i]) / scale)];
  const vectors = Array.from({ length: p }, (_, n) => parameters[E].subarray(n * d, (n + 1) * d));
  const mean = columnSums(parameters[E].subarray(0, p * d), p, d).map((x) => x / p);
  const points = vectors.map((vector) => axes.map((axis) => dot(axis, vector) - dot(axis, mean)));
  const radius = Math.sqrt(points.reduce((sum, [x, y]) => sum + x * x + y * y, 0) / p);
  return points.map((point) => point.map((x) => x / radius));
}

// The share of the neurons' variance at each one's own frequency: analyses/evidence/neuron_clusters.py.
function specialisationOf(post, { p, d_mlp: m }) {
  const basis = new Float64Array(p * p).fill(1 / Math.sqrt(p));
  for (const k of frequenciesOf(p))
    for (let n = 0; n < p; n++) {
      basis[(2 * k - 1) * p + n] = Math.sqrt(2 / p) * Math.cos(MODULUS_ANGLE(k, n, p));
      basis[2 * k * p + n] = Math.sqrt(2 / p) * Math.sin(MODULUS_ANGLE(k, n, p));
    }
  const overA = product(basis, post, p, p, p * m);
  const [best, variances] = [new Float64Array(m), new Float64Array(m)];
  const waveEnergies = overA.map(() => 0);
  for (let i = 0; i < p; i++) product(basis, overA.subarray(i * p * m, (i + 1) * p * m), p, p, m, waveEnergies.subarray(i * p * m, (i + 1) * p * m));
  for (let i = 1; i < p * p; i++) for (let n = 0; n < m; n++) variances[n] += waveEnergies[i * m + n] ** 2;
  for (const k of frequenciesOf(p)) {
    const own = [0, 2 * k - 1, 2 * k];
    for (let n = 0; n < m; n++) {
      let energy = -(waveEnergies[n] ** 2);
      for (const i of own) for (const j of own) energy += waveEnergies[(i * p + j) * m + n] ** 2;
      best[n] = Math.max(best[n], energy);
    }
  }
  const sum = (values) => values.reduce((x, y) => x + y, 0);
  return sum(best) / sum(variances);
}

// The whole verdict: analyses/evidence/clock_or_pizza.py.
function verdictOf(config, parameters) {
  const { p } = config;
  const on = onAllPairs(config, parameters);
  const all = byDistance(on.logits, p);
  const keys = frequenciesOf(p).filter((k) => clockTerms(all, p)[k - 1] >= KEY);
  const profiles = keys.map((k) => {
    const share = (amplitudesOf(all.sums, k, p).reduce((sum, x) => sum + x * x, 0) * p * p) / 2 / all.squares;
    const double = Math.min((2 * k) % p, p - ((2 * k) % p)); // a circle at 2k hides a pizza at k
    const seen = double === k ? all : byDistance(onAllPairs(config, withoutFrequency(parameters, double, config)).logits, p);
    return { k, share, ...judged(amplitudesOf(seen.sums, k, p), k) };
  });
  const total = (those) => those.reduce((sum, { share }) => sum + share, 0);
  const explained = total(profiles);
  const specialisation = specialisationOf(on.post, config);
  const found = { keys, profiles, explained, specialisation, accuracy: all.accuracy };
  found.coordinate = profiles.reduce((sum, { share, coordinate }) => sum + share * coordinate, 0) / explained;
  const are = (name) => profiles.filter(({ verdict }) => verdict === name);
  if (all.accuracy < ENOUGH_RIGHT) return { ...found, verdict: "not generalising" };
  const isUnclear = !keys.length || explained < ENOUGH_LOGITS || specialisation < ENOUGH_NEURONS;
  if (isUnclear || total(are("undecided")) > MOST_UNDECIDED * explained) return { ...found, verdict: "undecided" };
  const both = are("clock").length && are("pizza").length;
  const one = are("mixture").length ? "mixture" : are("clock").length ? "clock" : "pizza";
  return { ...found, verdict: both ? "hybrid" : one };
}
