// Dark or light: the system's choice, until the button says otherwise; the choice is remembered.

const KEY = "dtalker-theme";
const system = matchMedia("(prefers-color-scheme: dark)");

export function followTheme(button, changed) {
  const apply = () => {
    const dark = (localStorage.getItem(KEY) ?? (system.matches ? "dark" : "light")) === "dark";
    document.documentElement.dataset.theme = dark ? "dark" : "light";
    button.setAttribute("aria-label", dark ? "Switch to light" : "Switch to dark");
    changed(dark);
  };
  button.addEventListener("click", () => {
    localStorage.setItem(KEY, document.documentElement.dataset.theme === "dark" ? "light" : "dark");
    apply();
  });
  system.addEventListener("change", apply);
  apply();
}

/** A colour of the style sheet, for canvases. */
export const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
