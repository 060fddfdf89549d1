// Shows what a word means beside it, on hover and on focus; Escape puts it away.
"use strict";

function startTerms() {
  const box = document.getElementById("meaning");
  let shown = null;
  const hide = () => {
    shown = null;
    box.hidden = true;
  };
  const show = (term) => {
    shown = term;
    box.textContent = term.dataset.says;
    box.hidden = false;
    term.setAttribute("aria-describedby", "meaning");
    const word = term.getBoundingClientRect();
    const left = Math.max(8, Math.min(word.left, document.documentElement.clientWidth - box.offsetWidth - 8));
    const isLow = word.bottom + box.offsetHeight + 8 > innerHeight;
    box.style.left = `${left + scrollX}px`;
    box.style.top = `${(isLow ? word.top - box.offsetHeight - 2 : word.bottom + 2) + scrollY}px`;
  };
  for (const term of document.querySelectorAll(".term")) {
    term.dataset.says = term.title; // without this script the browser shows the title
    term.removeAttribute("title");
    term.addEventListener("mouseenter", () => show(term));
    term.addEventListener("focus", () => show(term));
    term.addEventListener("blur", hide);
    term.addEventListener("mouseleave", ({ relatedTarget }) => relatedTarget !== box && hide());
  }
  box.addEventListener("mouseleave", hide);
  addEventListener("keydown", ({ key }) => key === "Escape" && shown && hide());
}
