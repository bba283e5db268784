/** The phone's script: posts the scan at once, and keeps an eager finger from deciding twice. */

for (const form of document.querySelectorAll('form')) {
  form.addEventListener('submit', (event) => {
    if (form.dataset.sent !== undefined) event.preventDefault();
    form.dataset.sent = '';
  });
}

// A page that the browser only prepares must not scan: somebody has to open it.
const scan = document.querySelector<HTMLFormElement>('form[data-scan]');
if (scan !== null && document.visibilityState === 'visible') scan.requestSubmit();
else document.addEventListener('visibilitychange', () => scan?.requestSubmit(), { once: true });

// Back on this page: the form may be sent again.
addEventListener('pageshow', (event) => {
  if (event.persisted) location.reload();
});
