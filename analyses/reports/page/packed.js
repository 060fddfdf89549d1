// Unpacks what a page carries with it, plotly among it.
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
