// The few kinds of control that the panel is made of. All are native inputs or follow the radio group pattern.

const HELD_MS = 500;

function element(tag, fields = {}, children = []) {
  const made = Object.assign(document.createElement(tag), fields);
  made.append(...children);
  return made;
}

export { element };

/** A labelled slider. {set(value)} moves it, unless somebody is moving it; {enable(on, why)} says why it cannot be moved. */
export function slider(parent, { id, label, title = "", range: [low, high], step, digits = 2, unit = "" }, changed) {
  const input = element("input", { type: "range", id, min: low, max: high, step: step ?? (high - low) / 200, title });
  const output = element("output", { htmlFor: id });
  const row = element("div", { className: "slider", title }, [element("label", { htmlFor: id, textContent: label }), input, output]);
  parent.append(row);
  let touchedMs = -Infinity;
  const show = () => {
    const text = `${Number(input.value).toFixed(digits)}${unit && ` ${unit}`}`;
    output.textContent = text;
    input.setAttribute("aria-valuetext", text);
    input.style.setProperty("--part", `${(100 * (input.value - low)) / (high - low)}%`);
  };
  input.addEventListener("input", () => {
    touchedMs = performance.now();
    show();
    changed(Number(input.value));
  });
  const set = (value) => {
    if (performance.now() - touchedMs < HELD_MS) return;
    input.value = value;
    show();
  };
  const enable = (on, why) => {
    input.disabled = !on;
    row.title = input.title = on ? title : why;
  };
  set(low);
  return { input, set, enable };
}

/** One of several, as buttons: arrow keys move, as in any radio group. {set(value)} chooses, {enable(value, on)}. */
export function choice(parent, entries, changed) {
  const buttons = entries.map(([value, label, title = ""]) => {
    const button = element("button", { type: "button", role: "radio", textContent: label, title });
    button.dataset.value = value;
    button.addEventListener("click", () => { set(value); changed(value); });
    return button;
  });
  parent.replaceChildren(...buttons);
  const set = (value) => {
    const known = buttons.some((button) => button.dataset.value === value);
    for (const [k, button] of buttons.entries()) {
      const on = button.dataset.value === value;
      button.setAttribute("aria-checked", String(on));
      button.tabIndex = on || (!known && k === 0) ? 0 : -1;
    }
  };
  parent.onkeydown = (event) => {
    const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
    const usable = buttons.filter((button) => !button.disabled);
    if (!step || !usable.length) return;
    event.preventDefault();
    const next = usable[(usable.indexOf(document.activeElement) + step + usable.length) % usable.length];
    next.focus();
    next.click();
  };
  set(null);
  return { set, enable: (value, on) => { for (const b of buttons) if (b.dataset.value === value) b.disabled = !on; } };
}

/** An on-off switch. */
export function toggle(parent, { label, title = "" }, changed) {
  const input = element("input", { type: "checkbox", role: "switch" });
  parent.append(element("label", { className: "switch", title }, [input, label]));
  input.addEventListener("change", () => changed(input.checked));
  return { input, set: (on) => { input.checked = on; } };
}

/** A whole number, written. */
export function number(parent, { id, label, title = "", range: [low, high] }, changed) {
  const input = element("input", { type: "number", id, min: low, max: high, step: 1, title, inputMode: "numeric" });
  parent.append(element("div", { className: "slider", title }, [element("label", { htmlFor: id, textContent: label }), input]));
  input.addEventListener("change", () => { if (input.checkValidity() && input.value !== "") changed(Number(input.value)); });
  return { input, set: (value) => { if (document.activeElement !== input) input.value = value; } };
}
