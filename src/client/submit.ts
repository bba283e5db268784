import { page } from './page.ts';

/** Runs `act` instead of the form submission. */
export function onSubmit(selector: string, act: (form: HTMLFormElement) => Promise<void>): void {
  for (const form of page.querySelectorAll<HTMLFormElement>(selector)) {
    let acting = false;
    form.addEventListener('submit', async (event) => {
      event.preventDefault();
      // While the server is away, the request is repeated by itself: a second press must not start another one.
      if (acting) return;
      acting = true;
      form.setAttribute('aria-busy', 'true');
      await act(form).finally(() => {
        acting = false;
        form.removeAttribute('aria-busy');
      });
    });
  }
}
