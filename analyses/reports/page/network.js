// A one-layer transformer that reads a, b and =, its loss, and one step of AdamW: the arithmetic of interp/training, with plain
// arrays. Parameters go by TransformerLens's names; each is a flat Float64Array, its rows one after the other.
"use strict";

const [K, Q, V, O] = ["K", "Q", "V", "O"].map((letter) => `blocks.0.attn.W_${letter}`);
const [IN, B_IN, OUT, B_OUT] = ["W_in", "b_in", "W_out", "b_out"].map((name) => `blocks.0.mlp.${name}`);
const [E, POS, U] = ["embed.W_E", "pos_embed.W_pos", "unembed.W_U"];

function shapesOf({ p, d_model, n_heads, d_head, d_mlp }) {
  const heads = [n_heads, d_model, d_head];
  return {
    [E]: [p + 1, d_model], [POS]: [3, d_model], [K]: heads, [Q]: heads, [V]: heads, [O]: [n_heads * d_head, d_model],
    [IN]: [d_model, d_mlp], [B_IN]: [d_mlp], [OUT]: [d_mlp, d_model], [B_OUT]: [d_model], [U]: [d_model, p + 1],
  };
}

const sizeOf = (shape) => shape.reduce((x, y) => x * y, 1);
const zeros = (config) => Object.fromEntries(Object.entries(shapesOf(config)).map(([name, shape]) => [name, new Float64Array(sizeOf(shape))]));

// C += A B, where A is n by k and B is k by m. Two rows of A and four of B at once: each number is then fetched less often.
function product(A, B, n, k, m, C = new Float64Array(n * m)) {
  const evenly = n - (n % 2);
  const whole = k - (k % 4);
  for (let i = 0; i < evenly; i += 2) {
    const to = i * m;
    const below = to + m;
    for (let l = 0; l < whole; l += 4) {
      const from = i * k + l;
      const w0 = A[from], w1 = A[from + 1], w2 = A[from + 2], w3 = A[from + 3];
      const v0 = A[from + k], v1 = A[from + k + 1], v2 = A[from + k + 2], v3 = A[from + k + 3];
      const b0 = l * m, b1 = b0 + m, b2 = b1 + m, b3 = b2 + m;
      for (let j = 0; j < m; j++) {
        const x0 = B[b0 + j], x1 = B[b1 + j], x2 = B[b2 + j], x3 = B[b3 + j];
        C[to + j] += w0 * x0 + w1 * x1 + w2 * x2 + w3 * x3;
        C[below + j] += v0 * x0 + v1 * x1 + v2 * x2 + v3 * x3;
      }
    }
  }
  for (let i = 0; i < n; i++)
    for (let l = i < evenly ? whole : 0; l < k; l++) {
      const w = A[i * k + l];
      const [to, from] = [i * m, l * m];
      for (let j = 0; j < m; j++) C[to + j] += w * B[from + j];
    }
  return C;
}

function transposed(A, n, m) {
  const T = new Float64Array(n * m);
  for (let i = 0; i < n; i++) for (let j = 0; j < m; j++) T[j * n + i] = A[i * m + j];
  return T;
}

function columnSums(A, n, m) {
  const sums = new Float64Array(m);
  for (let i = 0; i < n; i++) for (let j = 0; j < m; j++) sums[j] += A[i * m + j];
  return sums;
}

const repeated = (row, n) => {
  const rows = new Float64Array(n * row.length);
  for (let i = 0; i < n; i++) rows.set(row, i * row.length);
  return rows;
};

// [head, row, column] as one matrix [row, head · column], and back.
function besideEachOther(W, { n_heads: h, d_model: d, d_head: e }, back = false) {
  const M = new Float64Array(W.length);
  for (let head = 0; head < h; head++)
    for (let i = 0; i < d; i++)
      for (let c = 0; c < e; c++) {
        const [apart, together] = [(head * d + i) * e + c, i * h * e + head * e + c];
        if (back) M[apart] = W[together];
        else M[together] = W[apart];
      }
  return M;
}

// Everything on the way from pairs a, b to logits. Row a of X is number a in the first place, row p + b number b in the second,
// row 2p the sign =, where the answer is read: its query is one for all pairs.
function forward(config, parameters, a, b) {
  const { p, d_model: d, n_heads: h, d_head: e, d_mlp: m } = config;
  const [n, rows, size, o] = [a.length, 2 * p + 1, h * e, p + 1];
  const X = new Float64Array(rows * d);
  for (let row = 0; row < rows; row++) {
    const [token, place] = row === 2 * p ? [p, 2] : [row % p, Math.floor(row / p)];
    for (let i = 0; i < d; i++) X[row * d + i] = parameters[E][token * d + i] + parameters[POS][place * d + i];
  }
  const equals = X.subarray(2 * p * d);
  const wQ = besideEachOther(parameters[Q], config);
  const wK = besideEachOther(parameters[K], config);
  const wV = besideEachOther(parameters[V], config);
  const query = product(equals, wQ, 1, d, size);
  const u = new Float64Array(d * h); // what a vector's score is, by head
  for (let i = 0; i < d; i++)
    for (let c = 0; c < size; c++) u[i * h + Math.floor(c / e)] += (wK[i * size + c] * query[c]) / Math.sqrt(e);
  const scores = product(X, u, rows, d, h);
  const values = product(X, wV, rows, d, size);
  const pattern = new Float64Array(n * h * 3);
  const z = new Float64Array(n * size);
  for (let i = 0; i < n; i++) {
    const read = [a[i], p + b[i], 2 * p];
    for (let head = 0; head < h; head++) {
      const own = read.map((row) => scores[row * h + head]);
      const most = Math.max(...own);
      const weights = own.map((score) => Math.exp(score - most));
      const total = weights[0] + weights[1] + weights[2];
      for (let j = 0; j < 3; j++) {
        const weight = weights[j] / total;
        pattern[(i * h + head) * 3 + j] = weight;
        const from = read[j] * size + head * e;
        for (let c = 0; c < e; c++) z[i * size + head * e + c] += weight * values[from + c];
      }
    }
  }
  const middle = product(z, parameters[O], n, size, d, repeated(equals, n));
  const post = product(middle, parameters[IN], n, d, m, repeated(parameters[B_IN], n));
  for (let i = 0; i < post.length; i++) if (post[i] < 0) post[i] = 0;
  const toLogits = product(parameters[OUT], parameters[U], m, d, o);
  const logits = product(post, toLogits, n, m, o, repeated(product(parameters[B_OUT], parameters[U], 1, d, o), n));
  product(middle, parameters[U], n, d, o, logits);
  return { n, X, equals, wQ, wK, wV, query, u, values, pattern, z, middle, post, toLogits, logits };
}

// Mean cross-entropy in nats and share answered right; the gradient by the logits where there is room for it.
function lossOf(logits, labels, o, gradient = null) {
  const n = labels.length;
  let [loss, right] = [0, 0];
  for (let i = 0; i < n; i++) {
    const own = logits.subarray(i * o, (i + 1) * o);
    let best = 0;
    for (let c = 1; c < o; c++) if (own[c] > own[best]) best = c;
    let total = 0;
    for (let c = 0; c < o; c++) total += Math.exp(own[c] - own[best]);
    loss += Math.log(total) + own[best] - own[labels[i]];
    right += best === labels[i];
    if (gradient)
      for (let c = 0; c < o; c++) gradient[i * o + c] = (Math.exp(own[c] - own[best]) / total - (c === labels[i])) / n;
  }
  return { loss: loss / n, accuracy: right / n };
}

// The loss on pairs, and its gradient by every parameter.
function lossAndGradient(config, parameters, { a, b, labels }) {
  const { p, d_model: d, n_heads: h, d_head: e, d_mlp: m } = config;
  const [rows, size, o, W] = [2 * p + 1, h * e, p + 1, parameters];
  const on = forward(config, parameters, a, b);
  const { n } = on;
  const dLogits = new Float64Array(n * o);
  const measured = lossOf(on.logits, labels, o, dLogits);
  const g = zeros(config);

  const dToLogits = product(transposed(on.post, n, m), dLogits, m, n, o);
  const sums = columnSums(dLogits, n, o);
  const UT = transposed(W[U], d, o);
  product(dToLogits, UT, m, o, d, g[OUT]);
  product(sums, UT, 1, o, d, g[B_OUT]);
  product(transposed(on.middle, n, d), dLogits, d, n, o, g[U]);
  product(transposed(W[OUT], m, d), dToLogits, d, m, o, g[U]);
  product(W[B_OUT], sums, d, 1, o, g[U]);

  const dPre = product(dLogits, transposed(on.toLogits, m, o), n, o, m);
  for (let i = 0; i < dPre.length; i++) if (on.post[i] === 0) dPre[i] = 0;
  g[B_IN].set(columnSums(dPre, n, m));
  product(transposed(on.middle, n, d), dPre, d, n, m, g[IN]);
  const dMiddle = product(dPre, transposed(W[IN], d, m), n, m, d);
  product(dLogits, UT, n, o, d, dMiddle);

  product(transposed(on.z, n, size), dMiddle, size, n, d, g[O]);
  const dZ = product(dMiddle, transposed(W[O], size, d), n, d, size);
  const dValues = new Float64Array(rows * size);
  const dScores = new Float64Array(rows * h);
  for (let i = 0; i < n; i++) {
    const read = [a[i], p + b[i], 2 * p];
    for (let head = 0; head < h; head++) {
      const weights = on.pattern.subarray((i * h + head) * 3, (i * h + head) * 3 + 3);
      const from = i * size + head * e;
      const dWeights = [0, 0, 0];
      for (let j = 0; j < 3; j++) {
        const at = read[j] * size + head * e;
        for (let c = 0; c < e; c++) {
          dWeights[j] += on.values[at + c] * dZ[from + c];
          dValues[at + c] += weights[j] * dZ[from + c];
        }
      }
      const mean = weights[0] * dWeights[0] + weights[1] * dWeights[1] + weights[2] * dWeights[2];
      for (let j = 0; j < 3; j++) dScores[read[j] * h + head] += weights[j] * (dWeights[j] - mean);
    }
  }
  const XT = transposed(on.X, rows, d);
  const dX = product(dScores, transposed(on.u, d, h), rows, h, d);
  product(dValues, transposed(on.wV, d, size), rows, size, d, dX);
  g[V] = besideEachOther(product(XT, dValues, d, rows, size), config, true);
  const dU = product(XT, dScores, d, rows, h);
  const [dK, dQuery] = [new Float64Array(d * size), new Float64Array(size)];
  for (let i = 0; i < d; i++)
    for (let c = 0; c < size; c++) {
      const scaled = dU[i * h + Math.floor(c / e)] / Math.sqrt(e);
      dK[i * size + c] = scaled * on.query[c];
      dQuery[c] += scaled * on.wK[i * size + c];
    }
  g[K] = besideEachOther(dK, config, true);
  g[Q] = besideEachOther(product(on.equals, dQuery, d, 1, size), config, true);
  const dEquals = product(dQuery, transposed(on.wQ, d, size), 1, size, d, columnSums(dMiddle, n, d));
  for (let i = 0; i < d; i++) dX[2 * p * d + i] += dEquals[i];
  for (let row = 0; row < rows; row++) {
    const [token, place] = row === 2 * p ? [p, 2] : [row % p, Math.floor(row / p)];
    for (let i = 0; i < d; i++) {
      g[E][token * d + i] += dX[row * d + i];
      g[POS][place * d + i] += dX[row * d + i];
    }
  }
  return { ...measured, gradient: g };
}

// The learning rate of a step, which goes up in the first steps and then down to 0; `step` counts the updates done before.
function rateAt({ learning_rate, warmup_steps, steps }, step) {
  const warm = warmup_steps ? Math.min(step / warmup_steps, 1) : 1;
  return learning_rate * warm * (1 - Math.min(step / Math.max(steps, 1), 1));
}

// One update of all parameters by AdamW, in place; returns the loss and the accuracy before it.
function trainingStep(config, recipe, parameters, memory, data, step) {
  const { gradient, ...measured } = lossAndGradient(config, parameters, data);
  const { beta_1, beta_2, weight_decay } = recipe;
  const rate = rateAt(recipe, step);
  const [first, second] = [1 - beta_1 ** (step + 1), Math.sqrt(1 - beta_2 ** (step + 1))];
  for (const [name, x] of Object.entries(parameters)) {
    const [g, mean, square] = [gradient[name], memory.mean[name], memory.square[name]];
    for (let i = 0; i < x.length; i++) {
      mean[i] += (1 - beta_1) * (g[i] - mean[i]);
      square[i] = beta_2 * square[i] + (1 - beta_2) * g[i] * g[i];
      x[i] -= rate * (weight_decay * x[i] + mean[i] / first / (Math.sqrt(square[i]) / second + 1e-8));
    }
  }
  return measured;
}
