// Draws the figures of a survey, and shows the card of the network that was clicked or chosen.
"use strict";

function element(name, text) {
  const made = document.createElement(name);
  if (text !== undefined) made.textContent = text;
  return made;
}

function tableOf(values) {
  const table = element("table");
  for (const [name, value] of values) {
    const line = element("tr");
    line.append(element("th", name), element("td", value));
    table.append(line);
  }
  return table;
}

function openCard(card) {
  const parts = [element("h3", card.title), element("p", card.words), tableOf(card.values)];
  if (card.numbers.length) {
    const more = element("details");
    more.append(element("summary", "Every number of the findings"), tableOf(card.numbers));
    parts.push(more);
  }
  document.getElementById("card").replaceChildren(...parts);
  document.getElementById("which").value = card.name;
}

async function start() {
  await loadPlotly();
  const { figures, templates, dark, cards } = JSON.parse(new TextDecoder().decode(await unpacked("packed-data")));
  const byName = new Map(cards.map((card) => [card.name, card]));
  const which = document.getElementById("which");
  which.append(element("option", ""));
  for (const card of cards) {
    const option = element("option", card.title);
    option.value = card.name;
    which.append(option);
  }
  which.addEventListener("change", () => byName.has(which.value) && openCard(byName.get(which.value)));
  const isDark = window.matchMedia("(prefers-color-scheme: dark)");
  const draw = () => {
    for (const plot of document.querySelectorAll(".plot")) {
      const figure = figures[plot.dataset.figure];
      const layout = { ...figure.layout, template: templates[isDark.matches ? "dark" : "light"], autosize: true };
      Plotly.react(plot, inShades(figure.data, isDark.matches ? dark : {}), layout, { responsive: true, displaylogo: false }).then(() => {
        plot.removeAllListeners("plotly_click");
        plot.on("plotly_click", ({ points }) => byName.has(points[0].customdata) && openCard(byName.get(points[0].customdata)));
      });
    }
  };
  isDark.addEventListener("change", draw);
  draw();
}

start();
