/** The time for which a button says that the text is copied. */
const COPIED_NOTICE_MS = 2_500;

/** Shows the buttons that copy a text, where the browser lets pages copy: over https, and on localhost. */
export function showCopyButtons(): void {
  if (!('clipboard' in navigator)) return;
  for (const button of document.querySelectorAll<HTMLButtonElement>('button[data-copy]')) {
    button.hidden = false;
    button.addEventListener('click', () => void copy(button));
  }
}

async function copy(button: HTMLButtonElement): Promise<void> {
  const label = button.querySelector('span');
  const status = button.parentElement?.querySelector('[role=status]');
  try {
    await navigator.clipboard.writeText(button.dataset.copy ?? '');
  } catch {
    // The user has not allowed the page to copy. The digits are beside the button, so the user can type them.
    return;
  }
  if (label === null || button.dataset.copied === label.textContent) return;
  const before = label.textContent;
  label.textContent = button.dataset.copied ?? before;
  if (status) status.textContent = label.textContent;
  setTimeout(() => {
    label.textContent = before;
    if (status) status.textContent = '';
  }, COPIED_NOTICE_MS);
}
