// Starts the page: the theme, and all that the other scripts do once what the page carries is unpacked.
"use strict";

// Light and dark.

function setTheme(theme) {
  document.documentElement.dataset.theme = theme;
  const button = document.getElementById("theme");
  button.textContent = theme === "dark" ? "Light" : "Dark";
  for (const place of document.querySelectorAll(".plot[data-figure]")) if (page.drawn.has(place.dataset.figure)) draw(place);
}

async function start() {
  const prefersDark = window.matchMedia("(prefers-color-scheme: dark)");
  setTheme(prefersDark.matches ? "dark" : "light");
  const button = document.getElementById("theme");
  button.addEventListener("click", () => setTheme(themeNow() === "dark" ? "light" : "dark"));
  prefersDark.addEventListener("change", (event) => setTheme(event.matches ? "dark" : "light"));
  const [players, data, trainer] = await Promise.all([
    Promise.all([...document.querySelectorAll(".player")].map(playerIn)),
    unpacked("packed-data"),
    unpacked("packed-trainer"),
    loadPlotly(), // a second for the browser to read: the rest goes on meanwhile
  ]);
  Object.assign(page, JSON.parse(new TextDecoder().decode(data)));
  button.hidden = false;
  address.start();
  startTerms();
  drawWhenSeen();
  startAdding(players);
  startTraining(JSON.parse(document.getElementById("train-form").dataset.about), new TextDecoder().decode(trainer));
  if (address.state.section) document.getElementById(address.state.section).scrollIntoView();
  document.documentElement.dataset.ready = "yes";
}

start().catch((error) => {
  const trouble = document.getElementById("trouble");
  trouble.textContent = `The figures cannot be shown (${error.message}): this page needs a browser of 2024 or later. All numbers are in the tables.`;
  trouble.hidden = false;
  console.error(error);
});
