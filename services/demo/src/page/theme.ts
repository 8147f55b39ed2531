import { element } from "./element.js";

const choices = ["system", "light", "dark"] as const;
type ThemeChoice = (typeof choices)[number];
const names = { system: "as the system has them", light: "light", dark: "dark" };
const signs = { system: "◐", light: "○", dark: "●" };
const storageKey = "sluice-theme";

/** Sets the colours by the system or the reader's choice. `onChange` is called after every change. */
export function createTheme(onChange: () => void): void {
  const button = element("theme", HTMLButtonElement);
  const system = matchMedia("(prefers-color-scheme: dark)");
  let choice: ThemeChoice = choices.find((known) => known === readStored()) ?? "system";

  function apply(): void {
    const isDark = choice === "dark" || (choice === "system" && system.matches);
    document.documentElement.dataset.theme = isDark ? "dark" : "light";
    button.textContent = signs[choice];
    button.ariaLabel = `Colours: ${names[choice]}`;
    button.title = button.ariaLabel;
    onChange();
  }

  button.addEventListener("click", () => {
    choice = choices[(choices.indexOf(choice) + 1) % choices.length]!;
    try {
      localStorage.setItem(storageKey, choice);
    } catch {
      // A page that may not store forgets it.
    }
    apply();
  });
  system.addEventListener("change", apply);
  apply();
}

function readStored(): string | null {
  try {
    return localStorage.getItem(storageKey);
  } catch {
    return null;
  }
}

/** A colour of the present theme: `accent` for `--accent`. */
export function colour(role: string): string {
  return getComputedStyle(document.documentElement).getPropertyValue(`--${role}`).trim();
}
