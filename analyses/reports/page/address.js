// The address: its hash says which section, which a and b, and which step of a run are shown, so that they can be linked.
"use strict";

const PATIENCE = 250; // milliseconds after the last change before the address says so

const address = {
  state: {},
  listeners: {},
  timer: 0,

  // #adding&a=3&b=4&step=100: a section, then names and values.
  read() {
    const [section, ...pairs] = decodeURIComponent(location.hash.slice(1)).split("&");
    const isSection = !section.includes("=");
    const said = (isSection ? pairs : [section, ...pairs]).map((pair) => pair.split("="));
    const whole = said.filter(([name, value]) => ["a", "b", "step"].includes(name) && /^\d+$/.test(value));
    return { ...(isSection && section && document.getElementById(section) ? { section } : {}), ...Object.fromEntries(whole) };
  },

  say(changes) {
    Object.assign(this.state, changes);
    clearTimeout(this.timer);
    this.timer = setTimeout(() => {
      const { section = "answer", ...values } = this.state;
      const pairs = Object.entries(values).map(([name, value]) => `${name}=${value}`);
      history.replaceState(null, "", `#${[section, ...pairs].join("&")}`);
    }, PATIENCE);
  },

  // Hear of a value now, if the address has it, and whenever somebody writes another address.
  follow(name, listener) {
    (this.listeners[name] ??= []).push(listener);
    if (this.state[name] !== undefined) listener(this.state[name]);
  },

  obey() {
    const said = this.read();
    Object.assign(this.state, said);
    for (const [name, value] of Object.entries(said)) for (const listener of this.listeners[name] ?? []) listener(value);
    if (said.section) document.getElementById(said.section).scrollIntoView();
  },

  start() {
    Object.assign(this.state, this.read());
    addEventListener("hashchange", () => this.obey());
    const sections = [...document.querySelectorAll("main > section")];
    addEventListener(
      "scroll",
      () => {
        const passed = sections.filter((section) => section.getBoundingClientRect().top < innerHeight / 3);
        const section = (passed.at(-1) ?? sections[0]).id;
        if (section !== (this.state.section ?? "answer")) this.say({ section });
      },
      { passive: true },
    );
  },
};
