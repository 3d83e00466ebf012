import { Monitor, Moon, Sun } from "lucide-react";
import { setTheme, useTheme, type Theme } from "../theme.ts";
import { IconButton } from "./button.tsx";

const choices: { readonly [theme in Theme]: { icon: typeof Sun; label: string; next: Theme } } = {
  system: { icon: Monitor, label: "Theme: as the system. Change to light", next: "light" },
  light: { icon: Sun, label: "Theme: light. Change to dark", next: "dark" },
  dark: { icon: Moon, label: "Theme: dark. Change to the system’s", next: "system" },
};

/** Goes round: the system's theme, light, dark. */
export function ThemeToggle() {
  const { icon: Icon, label, next } = choices[useTheme()];
  return (
    <IconButton label={label} onClick={() => setTheme(next)}>
      <Icon size={15} strokeWidth={1.75} />
    </IconButton>
  );
}
