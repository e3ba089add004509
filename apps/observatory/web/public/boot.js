// Runs before the first paint: a chosen theme must not flash in after the other one. A file of its own, because the content policy forbids inline script.
try {
  const theme = localStorage.getItem('theme');
  if (theme === 'light' || theme === 'dark') document.documentElement.dataset.theme = theme;
} catch {
  // No storage, no choice: the system's theme.
}
