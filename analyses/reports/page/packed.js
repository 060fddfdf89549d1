// How every page begins: unpacks what it carries, plotly among it, and gives figures the colours of the theme.
"use strict";

async function unpacked(id) {
  // As a data: address, because the browser itself decodes that, many times faster than a loop here.
  const response = await fetch(`data:application/gzip;base64,${document.getElementById(id).textContent}`);
  return new Response(response.body.pipeThrough(new DecompressionStream("gzip"))).arrayBuffer();
}

async function loadPlotly() {
  const script = document.createElement("script");
  script.src = URL.createObjectURL(new Blob([await unpacked("packed-plotly")], { type: "text/javascript" }));
  const loaded = new Promise((resolve, reject) => Object.assign(script, { onload: resolve, onerror: reject }));
  document.head.append(script);
  await loaded;
}

// What figures are made of, with every colour that has another shade on dark paper in that shade.
function inShades(value, shades) {
  if (typeof value === "string") return shades[value] ?? value;
  if (value === null || typeof value !== "object" || typeof value[0] === "number") return value;
  if (Array.isArray(value)) return value.map((each) => inShades(each, shades));
  return Object.fromEntries(Object.entries(value).map(([name, each]) => [name, inShades(each, shades)]));
}
