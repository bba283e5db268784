/** Refreshes the counts of the console every five seconds while the page is visible. */
const EVERY_MS = 5_000;

const list = document.querySelector('[data-counts]');
const address = list instanceof HTMLElement ? list.dataset.counts : undefined;

async function refresh() {
  if (address === undefined || document.visibilityState === 'hidden') return;
  const answer = await fetch(address, { headers: { accept: 'application/json' }, redirect: 'error' });
  // After a 503, the next round tries again.
  if (!answer.ok) return;
  for (const [name, count] of Object.entries(await answer.json())) {
    const shown = document.querySelector(`[data-count="${CSS.escape(name)}"]`);
    if (shown !== null) shown.textContent = String(count);
  }
}

setInterval(() => refresh().catch(() => undefined), EVERY_MS);
