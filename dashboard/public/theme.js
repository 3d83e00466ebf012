// Runs before the first paint; src/theme.ts writes what this reads.
try {
  const theme = localStorage.getItem("sluice.theme");
  if (theme === "dark" || theme === "light") document.documentElement.dataset.theme = theme;
} catch {
  // Storage may be switched off: then the system's theme holds.
}
